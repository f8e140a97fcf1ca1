"""Rows of `overlapping_keys`, all invented."""

from datetime import date, timedelta
from random import Random


def rows(random: Random) -> dict[str, list[tuple[object, ...]]]:
    invoices = [(i, date(2024, 1, 1) + timedelta(days=3 * i)) for i in range(1, 61)]
    lines = [
        (invoice, n, random.randint(100, 50000) / 100)
        for invoice, _ in invoices
        for n in range(1, random.randint(2, 6))
    ]
    credits_ = []
    for i, (invoice, line, amount) in enumerate(random.sample(lines, 50), start=1):
        credits_.append((i, invoice, None if i % 3 == 0 else line, amount / 2))
    return {"invoice": invoices, "invoice_line": lines, "credit": credits_}
