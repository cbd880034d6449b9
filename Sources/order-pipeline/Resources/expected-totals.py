#!/usr/bin/env python3
"""Computes the totals that `order-pipeline replay FILE --json` must report, without any of its code.

    expected-totals.py FILE [--invoices N]

FILE is CSV in the Online Retail layout or JSON Lines of commands, also packed by xz or gzip; `-` is standard input. The
rules, and what counts as malformed, are written down here a second time, on purpose: the script judges the pipeline and
shares nothing with it. Amounts are integers of thousandths of a pound. Needs nothing but Python's standard library.

Exit status: 0 done, 1 the file can't be read, 2 the command line is wrong, 4 done, but lines are malformed.
"""

import argparse
import gzip
import io
import json
import lzma
import re
import sys
import unicodedata
import zlib
from collections import deque
from datetime import datetime
from itertools import chain

SMALLEST, LARGEST = -(2**63), 2**63 - 1
COLUMNS = ["InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country"]
SHOWN = 20
# Bytes: of a line, of a CSV record, and of a command's key and value.
LONGEST_LINE, LARGEST_ROW, LARGEST_COMMAND = 16 * 1024 * 1024, 256 * 1024, 990_000
DEEPEST_JSON = 100
TOO_LONG = f"the line is longer than {LONGEST_LINE:,} bytes"
UNCLOSED = "a double quote is never closed"
MAGIC = [
    (b"\xfd7zXZ\0", "xz"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    (b"\x04\x22\x4d\x18", "lz4"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"PK\x03\x04", "zip"),
]


class Malformed(Exception):
    """What is wrong with a line."""


# ---------------------------------------------------------------------------------------------------------------- files


def opened(path):
    file = sys.stdin.buffer if path == "-" else open(path, "rb")
    file = io.BufferedReader(file) if not hasattr(file, "peek") else file
    head = file.peek(16)[:16]
    packing = next((name for magic, name in MAGIC if head.startswith(magic)), None)
    if re.match(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)", head):
        packing = "bzip2"
    if path.endswith(".xz") or packing == "xz":
        return lzma.open(file)
    if path.endswith(".gz") or packing == "gzip":
        return gzip.open(file)
    if packing:
        sys.exit(f"can't read {path}: it is packed by {packing}; unpack it first")
    return file


def lines_of(file):
    """The lines without their line feeds; None for one that is too long, which is never held in memory."""
    file = io.BufferedReader(file) if isinstance(file, io.RawIOBase) else file
    while line := file.readline(LONGEST_LINE + 1):
        if line.endswith(b"\n"):
            yield line[:-1]
        elif len(line) <= LONGEST_LINE:
            yield line
        else:
            while rest := file.readline(1 << 20):
                if rest.endswith(b"\n"):
                    break
            yield None


def text_of(field, name):
    try:
        return field.decode("utf-8")
    except UnicodeDecodeError:
        raise Malformed(f"{name} is not UTF-8") from None


def whole(digits, name):
    """A number of 64 bits; Python refuses to read a number of thousands of digits, so they are counted first."""
    if len(digits.lstrip("-").lstrip("0")) > 19 or not SMALLEST <= (number := int(digits)) <= LARGEST:
        raise Malformed(f"{name} is beyond 64 bits")
    return number


def same(text):
    """Texts that Unicode calls equal are one order or one country."""
    return unicodedata.normalize("NFC", text)


# ------------------------------------------------------------------------------------------------------------------ CSV


class Record:
    """The fields of a record, by RFC 4180, and the lines that it takes."""

    QUOTED = re.compile(rb'[^"]*(?:""[^"]*)*')
    PLAIN = re.compile(rb'[^",]*')

    def __init__(self):
        self.taken, self.size = [], -1
        self.fields, self.open = [], bytearray()

    def add(self, number, line):
        """Takes a line; whether the record is complete with it."""
        in_quotes = bool(self.taken)
        self.taken.append((number, line))
        self.size += 1 + len(line)
        if self.size > LARGEST_ROW:
            raise Malformed(UNCLOSED if in_quotes else f"the row has {self.size:,} bytes, more than {LARGEST_ROW:,}")
        position, end = 0, len(line) - line.endswith(b"\r")
        while True:
            if in_quotes or line.startswith(b'"', position, end):
                text = self.QUOTED.match(line, position if in_quotes else position + 1, end)
                self.open += text.group().replace(b'""', b'"')
                if text.end() == end:
                    self.open += line[end:] + b"\n"
                    return False
                in_quotes, position = False, text.end() + 1
                self.fields.append(bytes(self.open))
                self.open.clear()
                if position < end and line[position] != ord(","):
                    raise Malformed("text after the closing double quote of a field")
            else:
                text = self.PLAIN.match(line, position, end)
                self.fields.append(text.group())
                position = text.end()
                if position < end and line[position] == ord('"'):
                    raise Malformed("a double quote inside a field that is not quoted")
            if position >= end:
                break
            position += 1
        if len(self.fields) != len(COLUMNS):
            raise Malformed(f"{len(self.fields)} columns, expected {len(COLUMNS)}")
        return True


def records_of(lines):
    """Numbers of lines, each with the record that begins there or what is wrong with it.

    A quote that should not be there may swallow the lines after it: when the record comes to nothing, they are read
    again, each for itself.
    """
    numbered, again, record = enumerate(lines, 1), deque(), Record()
    while True:
        number, line = again.popleft() if again else next(numbered, (None, None))
        error = None
        if line is not None:
            if not record.taken and line in (b"", b"\r"):
                continue
            try:
                if record.add(number, line):
                    yield record.taken[0][0], record.fields
                    record = Record()
            except Malformed as malformed:
                error = malformed
        elif record.taken:
            # No record goes on through the end of the file, or through a line that could not be read.
            if number is not None:
                again.appendleft((number, line))
            error = Malformed(UNCLOSED)
        elif number is not None:
            yield number, Malformed(TOO_LONG)
        else:
            return
        if error:
            again.extendleft(reversed(record.taken[1:]))
            first, record = record.taken[0][0], Record()
            yield first, error


def row_of(fields):
    number, sku, description, quantity, date, price, customer, country = fields
    number = text_of(number, "InvoiceNo")
    if not number:
        raise Malformed("InvoiceNo is empty")
    if not re.fullmatch(rb"-?[0-9]+", quantity):
        raise Malformed("Quantity is not a whole number")
    quantity = whole(quantity.decode(), "Quantity")
    date = moment(date, rb"([0-9]{4})-([0-9]{2})-([0-9]{2}) ([0-9]{2}):([0-9]{2}):([0-9]{2})()", "InvoiceDate")
    if not re.fullmatch(rb"-?[0-9]+(\.[0-9]{1,3})?", price):
        raise Malformed("UnitPrice is not pounds with up to three decimals")
    pounds, _, fraction = price.decode().partition(".")
    price = whole(pounds + fraction.ljust(3, "0"), "UnitPrice")
    customer, country = text_of(customer, "CustomerID") or None, text_of(country, "Country")
    line = {
        "sku": text_of(sku, "StockCode"),
        "description": text_of(description, "Description"),
        "quantity": quantity,
        "unitPrice": price,
    }
    return number, customer, country, date, line


def rows_as_invoices(path, first, lines, limit, malformed):
    """Groups the rows of the whole file by invoice number: rows of one invoice need not stand together."""
    if first is None:
        sys.exit(f"can't read {path}: line 1 is longer than {LONGEST_LINE:,} bytes")
    header = next((found for _, found in records_of([first])), None)
    if header != [column.encode() for column in COLUMNS]:
        sys.exit(f"can't read {path}: its first line is not the header of the Online Retail layout")
    records = records_of(chain([first], lines))
    next(records)
    invoices, places = {}, {}
    for position, found in records:
        try:
            if isinstance(found, Malformed):
                raise found
            number, customer, country, date, line = row_of(found)
        except Malformed as error:
            malformed.append((position, error))
            continue
        if same(number) not in invoices:
            if limit is not None and len(invoices) >= limit:
                continue
            kind = "IssueCreditNote" if number.startswith("C") else "PlaceOrder"
            command = {"type": kind, "orderId": number, "country": country, "placedAt": date, "lines": []}
            invoices[same(number)] = command if customer is None else command | {"customerId": customer}
            places[same(number)] = position
        invoices[same(number)]["lines"].append(line)
    for number, position in places.items():
        try:
            check_size(invoices[number])
        except Malformed as error:
            malformed.append((position, error))
            del invoices[number]
    return invoices


# ----------------------------------------------------------------------------------------------------------- JSON Lines


class Number(str):
    """A number as it is written."""


def members(pairs):
    if len({key for key, _ in pairs}) < len(pairs):
        raise Malformed("a member is there twice in the same object")
    return dict(pairs)


def refuse(word):
    raise Malformed(f"it is not JSON: {word}")


def depth(value):
    """How deep arrays and objects stand in each other; level by level, since a recursion has an end."""
    levels, level = 0, [value]
    while level := [inner for inner in level if isinstance(inner, (dict, list))]:
        levels += 1
        level = [value for inner in level for value in (inner.values() if isinstance(inner, dict) else inner)]
    return levels


def json_of(line):
    try:
        value = json.loads(
            text_of(line, "it"),
            object_pairs_hook=members,
            parse_int=Number,
            parse_float=Number,
            parse_constant=refuse,
        )
        # Half of a surrogate pair is no text.
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise Malformed("it is nested too deep") from None
    except ValueError as error:
        raise Malformed(f"it is not JSON: {error}") from None
    if depth(value) > DEEPEST_JSON:
        raise Malformed("it is nested too deep")
    return value


def member(value, key, kind, path="", optional=False):
    if not isinstance(value, dict):
        raise Malformed(f"{path or 'the line'}: expected an object")
    found = value.get(key)
    if found is None and optional:
        return None
    # A number is a string here, but no text.
    if not isinstance(found, kind) or (kind is str and isinstance(found, Number)):
        what = {str: "a string", list: "an array", Number: "a whole number"}[kind]
        raise Malformed(f"{path}{'.' if path else ''}{key}: expected {what}")
    return found


def whole_member(value, key, path):
    number = member(value, key, Number, path)
    if not re.fullmatch("-?[0-9]+", number):
        raise Malformed(f"{path}.{key}: expected a whole number")
    return whole(number, f"{path}.{key}")


def command_of(value):
    kind, number = member(value, "type", str), member(value, "orderId", str)
    if not number:
        raise Malformed("orderId: it is empty")
    date = member(value, "placedAt", str).encode()
    form = rb"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,3})?Z"
    command = {"type": kind, "orderId": number, "placedAt": moment(date, form, "placedAt")}
    customer = member(value, "customerId", str, optional=True)
    if customer is not None:
        command["customerId"] = customer
    command["country"] = member(value, "country", str)
    command["lines"] = []
    for index, line in enumerate(member(value, "lines", list)):
        path = f"lines[{index}]"
        command["lines"].append(
            {
                "sku": member(line, "sku", str, path),
                "description": member(line, "description", str, path, optional=True) or "",
                "quantity": whole_member(line, "quantity", path),
                "unitPrice": whole_member(line, "unitPrice", path),
            }
        )
    if kind not in ("PlaceOrder", "IssueCreditNote"):
        raise Malformed("type: expected PlaceOrder or IssueCreditNote")
    check_size(command)
    return command


def commands_as_invoices(path, first, lines, limit, malformed):
    """The first command of an order id counts; a later one is a repetition."""
    invoices = {}
    for position, line in enumerate(chain([first], lines), 1):
        try:
            if line is None:
                raise Malformed(TOO_LONG)
            if not line.strip(b" \t\r"):
                continue
            command = command_of(json_of(line))
        except Malformed as error:
            malformed.append((position, error))
            continue
        if limit is None or len(invoices) < limit:
            invoices.setdefault(same(command["orderId"]), command)
    return invoices


# ----------------------------------------------------------------------------------------------------------------- both


def moment(text, form, name):
    """The time as the commands write it: milliseconds only where there are any."""
    found = re.fullmatch(form, text)
    try:
        parts = [int(part) for part in found.groups()[:6]]
        time = datetime(*parts).replace(microsecond=int((found.group(7) or b".")[1:].ljust(6, b"0")))
    except (AttributeError, ValueError):
        raise Malformed(f"{name} is not a time") from None
    return time.isoformat(timespec="milliseconds" if time.microsecond else "seconds") + "Z"


def check_size(command):
    """A command is one record: one that the broker would not take is not sent."""
    text = json.dumps(command, ensure_ascii=False, separators=(",", ":"))
    size = len(text.encode()) + len(command["orderId"].encode())
    if size > LARGEST_COMMAND:
        number, lines = command["orderId"][:40], len(command["lines"])
        raise Malformed(f"invoice {number} is skipped: its {lines:,} lines make a command of {size:,} bytes")


def totals(invoices):
    names = """invoices lines orders_placed orders_rejected orders_declined orders_compensated orders_shipped
        credit_notes credit_notes_rejected invoices_refused placed_amount shipped_amount refunded_amount declined_amount
        credited_amount"""
    sums = dict.fromkeys(names.split(), 0)
    by_country, by_month = {}, {}

    def earn(country, month, amount):
        by_country[country] = by_country.get(country, 0) + amount
        by_month[month] = by_month.get(month, 0) + amount

    for command in invoices.values():
        kind, number = command["type"], command["orderId"]
        country, month = same(command["country"]), command["placedAt"][:7]
        lines = [(line["quantity"], line["unitPrice"]) for line in command["lines"]]
        sums["invoices"] += 1
        sums["lines"] += len(lines)
        total = sum(quantity * price for quantity, price in lines)
        # What 64 bits hold, of lines and of the total; the absolute value of a credit note's total as well.
        too_large = any(not SMALLEST <= amount <= LARGEST for amount in [total, *(q * p for q, p in lines)])
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
            too_large = too_large or abs(total) > LARGEST
            if too_large or total == 0 or any(quantity > 0 or price < 0 for quantity, price in lines):
                sums["credit_notes_rejected"] += 1
                continue
            sums["credit_notes"] += 1
            sums["credited_amount"] += abs(total)
            earn(country, month, -abs(total))
        else:
            sums["invoices_refused"] += 1
    return sums | {"revenue_by_country": by_country, "revenue_by_month": by_month}


def invoices_of(path, limit, malformed):
    lines = lines_of(opened(path))
    try:
        first = next(lines)
    except StopIteration:
        sys.exit(f"can't read {path}: it is empty")
    if first is not None and first.startswith(b"\xef\xbb\xbf"):
        first = first[3:]
    name = re.search(r"\.(csv|jsonl|ndjson|json)(\.xz|\.gz)?$", path)
    # Where the name does not tell, the first character does; a line that is too long is no header.
    is_json = name.group(1) != "csv" if name else first is None or first.lstrip(b" \t").startswith(b"{")
    return (commands_as_invoices if is_json else rows_as_invoices)(path, first, lines, limit, malformed)


def main():
    parser = argparse.ArgumentParser(description="Totals of an order file, computed without the pipeline.")
    parser.add_argument("file")
    parser.add_argument("--invoices", type=int, help="only the first N distinct invoice numbers of the file")
    arguments = parser.parse_args()
    if arguments.invoices is not None and arguments.invoices < 1:
        parser.error("--invoices must be 1 or more")
    malformed = []
    try:
        invoices = invoices_of(arguments.file, arguments.invoices, malformed)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        sys.exit(f"can't read {arguments.file}: {error}")
    malformed.sort(key=lambda found: found[0])
    for position, error in malformed[:SHOWN]:
        print(f"{arguments.file}:{position}: {ascii(str(error))[1:-1]}", file=sys.stderr)
    if len(malformed) > SHOWN:
        print(f"{arguments.file}: {len(malformed) - SHOWN:,} more malformed lines", file=sys.stderr)
    text = json.dumps(totals(invoices), indent=2, sort_keys=True, ensure_ascii=False)
    sys.stdout.buffer.write(text.encode() + b"\n")
    return 4 if malformed else 0


if __name__ == "__main__":
    sys.exit(main())
