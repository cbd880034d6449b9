#!/usr/bin/env python3
"""Makes the excerpt of Online Retail that ships with the project.

    make-excerpt.py online-retail.csv[.xz|.gz] > online-retail-excerpt.csv

Whole invoices are taken, their rows unchanged and in the order of the file, so that about a thousand invoices hold every
case that the data has: declined, not shippable, rejected for each reason, credit notes, refused numbers, and the one
invoice whose rows do not stand together. The rest are orders spread evenly over the year, and one order per country and
month where there is one. The choice depends on the file alone. Needs nothing but Python's standard library.
"""

import csv
import gzip
import lzma
import sys

INVOICES = 1000


def opened(path):
    opener = lzma.open if path.endswith(".xz") else gzip.open if path.endswith(".gz") else open
    return opener(path, "rt", encoding="utf-8", newline="")


def thousandths(text):
    whole, _, fraction = text.lstrip("-").partition(".")
    amount = int(whole) * 1000 + int(fraction.ljust(3, "0"))
    return -amount if text.startswith("-") else amount


def spread(items, count):
    """`count` of the items at even distances."""
    if len(items) <= count:
        return list(items)
    return [items[index * len(items) // count] for index in range(count)]


def case_of(number, rows):
    quantities = [int(row[3]) for row in rows]
    total = sum(int(row[3]) * thousandths(row[5]) for row in rows)
    if number.startswith("C"):
        return "credit note"
    if not number.isdigit():
        return "refused"
    if any(quantity <= 0 for quantity in quantities):
        return "rejected for a quantity"
    if total == 0:
        return "rejected for its total"
    if total > 10_000_000:
        return "declined"
    return "not shippable" if rows[0][7] == "Unspecified" else "order"


def main():
    with opened(sys.argv[1]) as file:
        raw = file.read().splitlines(keepends=True)
    # The data has no line end inside a field: a line is a row.
    rows = list(csv.reader(raw))
    assert len(rows) == len(raw) and len(rows[0]) == 8

    invoices, apart, last = {}, set(), None
    for row in rows[1:]:
        if row[0] in invoices and row[0] != last:
            apart.add(row[0])
        invoices.setdefault(row[0], []).append(row)
        last = row[0]

    cases = {}
    for number, lines in invoices.items():
        cases.setdefault(case_of(number, lines), []).append(number)

    chosen = set(apart)
    chosen.update(cases["refused"])
    chosen.update(cases["not shippable"])
    # Short ones first: a declined order of a hundred lines shows nothing that one of ten does not.
    chosen.update(sorted(cases["declined"], key=lambda number: (len(invoices[number]), number))[:30])
    chosen.update(spread(cases["rejected for a quantity"], 40))
    chosen.update(spread(cases["rejected for its total"], 25))
    chosen.update(spread(cases["credit note"], 140))
    by_place = {}
    for number in cases["order"]:
        first = invoices[number][0]
        by_place.setdefault((first[7], first[4][:7]), number)
    chosen.update(by_place.values())
    short = [number for number in cases["order"] if len(invoices[number]) <= 25 and number not in chosen]
    chosen.update(spread(short, INVOICES - len(chosen)))

    sys.stdout.reconfigure(encoding="utf-8", newline="")
    sys.stdout.write(raw[0])
    for line, row in zip(raw[1:], rows[1:]):
        if row[0] in chosen:
            sys.stdout.write(line)
    counts = ", ".join(f"{sum(number in chosen for number in numbers)} {case}" for case, numbers in cases.items())
    print(f"{len(chosen)} invoices: {counts}; {len(apart)} not in one piece", file=sys.stderr)


if __name__ == "__main__":
    main()
