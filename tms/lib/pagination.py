"""Keyset pagination: a page begins after a row, not at a number: the thousandth page costs no more than the first."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet

SIZE = 100
MARK = "~"
"""Separates the parts of a cursor. In a cursor of several parts, each part is escaped."""
ESCAPES = (("%", "%25"), (MARK, "%7E"))


def instant(text: str) -> datetime:
    """Raises ValueError, also for a time without an offset or beyond the years of a database."""
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(text)
    try:
        return found.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(text) from error


class Column(NamedTuple):
    name: str
    parse: Callable[[str], Any] = str
    is_descending: bool = False


@dataclass(frozen=True, slots=True)
class KeysetPage:
    """One page: the primary keys of its rows, and the cursors of the adjacent pages (empty at an end)."""

    pks: tuple[int, ...]
    before: str = ""
    after: str = ""


@dataclass(frozen=True, slots=True)
class Keyset:
    """An order of rows by `columns`, which together are unique."""

    columns: tuple[Column, ...]

    def window(
        self, rows: QuerySet[Model, object], *, after: str = "", before: str = "", size: int = SIZE
    ) -> KeysetPage:
        """The page after or before a cursor; an invalid cursor gives the first page."""
        marks = self._marks(before or after)
        if marks is None:
            return self._forward(rows, size=size, is_first=True)
        if before:
            return self._backward(rows, marks, size=size)
        return self._forward(rows.filter(self._beyond(marks)), size=size, is_first=False)

    def window_of(
        self, keys: Sequence[tuple[Any, ...]], *, after: str = "", before: str = "", size: int = SIZE
    ) -> KeysetPage:
        """The same for sorted tuples in memory, ascending; the last column is the primary key."""
        marks = self._marks(before or after)
        begin = 0
        if marks is not None and before:
            begin = max(0, bisect_left(keys, tuple(marks)) - size)
        elif marks is not None:
            begin = bisect_right(keys, tuple(marks))
        shown = keys[begin : begin + size]
        return KeysetPage(
            tuple(key[-1] for key in shown),
            before=self._cursor((None, *shown[0])) if begin and shown else "",
            after=self._cursor((None, *shown[-1])) if begin + size < len(keys) else "",
        )

    def _forward(self, rows: QuerySet[Model, object], *, size: int, is_first: bool) -> KeysetPage:
        found = self._read(rows.order_by(*self._order()), size + 1)
        shown = found[:size]
        return KeysetPage(
            tuple(row[0] for row in shown),
            before="" if is_first or not shown else self._cursor(shown[0]),
            after=self._cursor(shown[-1]) if len(found) > size else "",
        )

    def _backward(self, rows: QuerySet[Model, object], marks: Sequence[object], *, size: int) -> KeysetPage:
        found = self._read(rows.filter(self._beyond(marks, back=True)).order_by(*self._order(back=True)), size + 1)
        if len(found) <= size:
            # fewer than a page before it: the whole first page
            return self._forward(rows, size=size, is_first=True)
        shown = found[:size][::-1]
        return KeysetPage(tuple(row[0] for row in shown), before=self._cursor(shown[0]), after=self._cursor(shown[-1]))

    def _read(self, rows: QuerySet[Model, object], limit: int) -> list[tuple[Any, ...]]:
        return list(rows.values_list("pk", *(column.name for column in self.columns))[:limit])

    def _order(self, *, back: bool = False) -> list[str]:
        return [f"-{column.name}" if column.is_descending is not back else column.name for column in self.columns]

    def _beyond(self, marks: Sequence[object], *, back: bool = False) -> Q:
        """Rows that come later in the order: greater in the first column, or equal there and greater in the next, …"""
        beyond, equal = Q(), Q()
        for column, mark in zip(self.columns, marks, strict=True):
            later = "lt" if column.is_descending is not back else "gt"
            beyond |= equal & Q(**{f"{column.name}__{later}": mark})
            equal &= Q(**{column.name: mark})
        return beyond

    def _cursor(self, row: Sequence[object]) -> str:
        parts = [mark.isoformat() if isinstance(mark, datetime) else str(mark) for mark in row[1:]]
        return parts[0] if len(parts) == 1 else MARK.join(map(_escape, parts))

    def _marks(self, cursor: str) -> list[object] | None:
        parts = [cursor] if len(self.columns) == 1 else [_unescape(part) for part in cursor.split(MARK)]
        if not cursor or len(parts) != len(self.columns):
            return None
        try:
            return [column.parse(part) for column, part in zip(self.columns, parts, strict=True)]
        except ValueError:
            return None


def _escape(part: str) -> str:
    for character, escape in ESCAPES:
        part = part.replace(character, escape)
    return part


def _unescape(part: str) -> str:
    for character, escape in reversed(ESCAPES):
        part = part.replace(escape, character)
    return part
