#!/usr/bin/env python3
"""Computes the totals that `order-pipeline replay FILE --json` must report, without any of its code.

    expected-totals.py FILE [--invoices N]

FILE is CSV in the Online Retail layout or JSON Lines of commands; `.xz` and `.gz` are unpacked. The rules are written
down here a second time, on purpose: the script judges the pipeline and shares nothing with it. Amounts are integers of
thousandths of a pound. Needs nothing but Python's standard library.
"""

import argparse
import csv
import gzip
import json
import lzma
import re
import sys
from datetime import datetime

LARGEST = 2**63 - 1
COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]


def opened(path):
    opener = lzma.open if path.endswith(".xz") else gzip.open if path.endswith(".gz") else open
    return opener(path, "rt", encoding="utf-8", newline="")


def thousandths(text):
    if not re.fullmatch(r"-?[0-9]+(\.[0-9]{1,3})?", text):
        raise ValueError(f"not a price: {text!r}")
    whole, _, fraction = text.lstrip("-").partition(".")
    amount = int(whole) * 1000 + int(fraction.ljust(3, "0"))
    return -amount if text.startswith("-") else amount


def rows_as_invoices(file, malformed):
    """Groups the rows of the whole file by invoice number: rows of one invoice need not stand together."""
    reader = csv.reader(file, strict=True)
    if next(reader, None) != COLUMNS:
        sys.exit("not the Online Retail layout")
    invoices = {}
    for row in reader:
        if not row:
            continue
        try:
            number, _, _, quantity, date, price, _, country = row
            if not number or not re.fullmatch(r"-?[0-9]+", quantity):
                raise ValueError("no number, or not a quantity")
            month = datetime.strptime(date, "%Y-%m-%d %H:%M:%S").strftime("%Y-%m")
            line = (int(quantity), thousandths(price))
        except ValueError as error:
            malformed.append((reader.line_num, error))
            continue
        kind = "IssueCreditNote" if number.startswith("C") else "PlaceOrder"
        invoices.setdefault(number, (kind, country, month, []))[3].append(line)
    return invoices


def commands_as_invoices(file, malformed):
    """The first command of an order id counts; a later one is a repetition."""
    invoices = {}
    for position, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            command = json.loads(text)
            if command["type"] not in ("PlaceOrder", "IssueCreditNote"):
                raise ValueError("unknown type")
            lines = [(line["quantity"], line["unitPrice"]) for line in command["lines"]]
            invoice = (command["type"], command["country"], command["placedAt"][:7], lines)
            invoices.setdefault(command["orderId"], invoice)
        except (ValueError, KeyError, TypeError) as error:
            malformed.append((position, error))
    return invoices


def totals(invoices):
    names = """invoices lines orders_placed orders_rejected orders_declined orders_compensated orders_shipped credit_notes
        credit_notes_rejected invoices_refused placed_amount shipped_amount refunded_amount declined_amount
        credited_amount"""
    sums = dict.fromkeys(names.split(), 0)
    by_country, by_month = {}, {}

    def earn(country, month, amount):
        by_country[country] = by_country.get(country, 0) + amount
        by_month[month] = by_month.get(month, 0) + amount

    for number, (kind, country, month, lines) in invoices.items():
        sums["invoices"] += 1
        sums["lines"] += len(lines)
        total = sum(quantity * price for quantity, price in lines)
        too_large = abs(total) > LARGEST or any(abs(quantity * price) > LARGEST for quantity, price in lines)
        if kind == "PlaceOrder" and re.fullmatch("[0-9]+", number):
            if too_large or total == 0 or any(quantity <= 0 or price < 0 for quantity, price in lines):
                sums["orders_rejected"] += 1
                continue
            sums["orders_placed"] += 1
            sums["placed_amount"] += total
            if total > 10_000_000:
                sums["orders_declined"] += 1
                sums["declined_amount"] += total
            elif country == "Unspecified":
                sums["orders_compensated"] += 1
                sums["refunded_amount"] += total
            else:
                sums["orders_shipped"] += 1
                sums["shipped_amount"] += total
                earn(country, month, total)
        elif kind == "IssueCreditNote" and number.startswith("C"):
            if too_large or total == 0 or any(quantity > 0 or price < 0 for quantity, price in lines):
                sums["credit_notes_rejected"] += 1
                continue
            sums["credit_notes"] += 1
            sums["credited_amount"] += abs(total)
            earn(country, month, -abs(total))
        else:
            sums["invoices_refused"] += 1
    return sums | {"revenue_by_country": by_country, "revenue_by_month": by_month}


def main():
    parser = argparse.ArgumentParser(description="Totals of an order file, computed without the pipeline.")
    parser.add_argument("file")
    parser.add_argument("--invoices", type=int, help="only the first N distinct invoice numbers of the file")
    arguments = parser.parse_args()
    malformed = []
    with opened(arguments.file) as file:
        is_json = re.search(r"\.(jsonl|ndjson|json)(\.xz|\.gz)?$", arguments.file)
        invoices = (commands_as_invoices if is_json else rows_as_invoices)(file, malformed)
    for position, error in malformed:
        print(f"{arguments.file}:{position}: {error}", file=sys.stderr)
    if arguments.invoices is not None:
        invoices = dict(list(invoices.items())[: arguments.invoices])
    json.dump(totals(invoices), sys.stdout, indent=2, sort_keys=True, ensure_ascii=False)
    print()


if __name__ == "__main__":
    main()
