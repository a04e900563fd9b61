"""Rows as CSV text that is harmless in a spreadsheet."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

from tms.protocol.text import clean

FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
BLANKS = ("\t", "\n")
"""Spreadsheets execute a text that begins like this, and names of terminals are user input."""

type Cell = str | int | float | None


def csv_text(rows: Iterable[Sequence[Cell]]) -> str:
    page = StringIO()
    csv.writer(page).writerows([[_safe(cell) for cell in row] for row in rows])
    return page.getvalue()


def _safe(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    # Fields remove control characters, but not every text is that of a field: changes in the audit trail are JSON.
    cell = clean(cell, keeps_lines=True)
    return f"'{cell}" if _is_risky(cell) else cell


def restored(cell: str) -> str:
    """The text of a cell that `csv_text` wrote, without the apostrophe that made it harmless."""
    return cell[1:] if cell.startswith("'") and _is_risky(cell) else cell


def _is_risky(cell: str) -> bool:
    """Apostrophes before it do not count, so that a text that has one gets another, and `restored` removes that."""
    bare = cell.lstrip("'")
    return bare.lstrip().startswith(FORMULA) or bare.startswith(BLANKS)
