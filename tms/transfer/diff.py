"""Rows of an import as its page shows them."""

from collections.abc import Iterable, Iterator
from itertools import batched, islice
from typing import Any, NamedTuple

from tms.fleet.models import Presence, TerminalState
from tms.transfer.models import PART, Effect, Import, ImportPart
from tms.transfer.rows import FileRow, RowFault

MAX_TEXT = 300
TAG = "tag"


class ColumnChange(NamedTuple):
    column: str
    was: str
    becomes: str


class DiffRow(NamedTuple):
    line: int
    """0: not in the file."""
    name: str
    sign: str
    """`add`, `change` or `remove`."""
    differences: list[ColumnChange]
    faults: list[RowFault]
    state: TerminalState | None = None
    """The link now, of a terminal that is not in the file."""


def page_of(chosen: Import, effect: Effect, number: int) -> list[DiffRow]:
    """One page of the rows with an effect; empty past the end."""
    part = chosen.parts.filter(effect=effect, number=number).first()
    return _shown(map(FileRow.unpacked, part.rows if part else ()))


def kept(chosen: Import) -> list[DiffRow]:
    """The first rows that were not undone."""
    return _shown(islice((row for row in _rows(chosen) if row.is_kept), PART))


def online_absent(chosen: Import) -> int:
    """How many of the terminals that are not in the file are online now."""
    pks = (row.pk for row in _rows(chosen, Effect.ABSENT))
    online = TerminalState.objects.filter(presence=Presence.ONLINE)
    return sum(online.filter(pk__in=some).count() for some in batched(pks, 1_000))


def lines(chosen: Import, numbers: set[int]) -> list[DiffRow]:
    """The refused rows that are, or have faults, in these rows of the file."""
    refused = _rows(chosen, Effect.REFUSED)
    found = (row for row in refused if numbers & {row.line, *(fault.line for fault in row.faults)})
    return _shown(islice(found, PART))


def _rows(chosen: Import, *effects: Effect) -> Iterator[FileRow]:
    part: ImportPart
    for part in chosen.parts.filter(effect__in=effects or set(Effect) - {Effect.REFUSED}).iterator(10):
        yield from map(FileRow.unpacked, part.rows)


def _shown(rows: Iterable[FileRow]) -> list[DiffRow]:
    listed = list(rows)
    states = TerminalState.objects.in_bulk([row.pk for row in listed if not row.line])
    return [
        DiffRow(row.line, row.name, _sign(row), list(_differences(row)), row.faults, states.get(row.pk or 0))
        for row in listed
    ]


def _sign(row: FileRow) -> str:
    if not row.line:
        return "remove"
    return "change" if row.before else "add"


def _differences(row: FileRow) -> Iterator[ColumnChange]:
    for name, value in row.after.items():
        if row.before or value:
            # A bulk edit names each tag, so that another one does not stand in the way of its undo.
            column = TAG if name.startswith(f"{TAG}:") else name
            yield ColumnChange(column, _text(row.before.get(name, "")), _text(value))


def _text(value: Any) -> str:
    if isinstance(value, list):
        value = "; ".join(" ".join(cell for cell in entry if cell) for entry in value)
    text = str(value)
    return text if len(text) <= MAX_TEXT else f"{text[:MAX_TEXT]}…"
