"""Rows of an import as its page shows them."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from tms.transfer.models import Effect, Import, ImportPart
from tms.transfer.planning import PART
from tms.transfer.rows import FileRow, RowFault

MAX_TEXT = 300


class ColumnChange(NamedTuple):
    column: str
    was: str
    becomes: str


class DiffRow(NamedTuple):
    line: int
    name: str
    differences: list[ColumnChange]
    faults: list[RowFault]
    is_new: bool
    is_kept: bool


def page_of(chosen: Import, effect: Effect, number: int) -> list[DiffRow]:
    """One page of the rows with a effect; empty past the end."""
    part = chosen.parts.filter(effect=effect, number=number).first()
    return [_shown(FileRow.unpacked(packed)) for packed in part.rows] if part else []


def kept(chosen: Import) -> list[DiffRow]:
    """The first rows that were not undone."""
    return list(islice(_kept(chosen), PART))


def _kept(chosen: Import) -> Iterator[DiffRow]:
    part: ImportPart
    for part in chosen.parts.exclude(effect=Effect.REFUSED).iterator(10):
        rows = (FileRow.unpacked(packed) for packed in part.rows)
        yield from (_shown(row) for row in rows if row.is_kept)


def _shown(row: FileRow) -> DiffRow:
    differences = [
        ColumnChange(name, _text(row.before.get(name, "")), _text(value))
        for name, value in row.after.items()
        if row.before or value
    ]
    return DiffRow(row.line, row.name, differences, row.faults, not row.before, row.is_kept)


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "; ".join(" ".join(cell for cell in entry if cell) for entry in value)
    text = str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
