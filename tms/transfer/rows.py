"""Rows of a file, as a plan compares them with the database and an import stores them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from tms.transfer.models import Effect
from tms.transfer.reasons import reason, with_suggestion

type Key = tuple[str, ...]
type Record = dict[str, Any]
"""Values by column: texts, or a list of lists for the entries of a site."""

MAX_SHOWN = 200
"""Characters of a refused value that are stored."""


class RowFault(NamedTuple):
    """Why a row is refused."""

    line: int
    column: str
    value: str
    code: str
    params: dict[str, Any]
    suggestion: str

    @property
    def other_line(self) -> int:
        """The row that has the same; 0 if it is not about that."""
        line: int = self.params.get("line", 0)
        return line

    @property
    def text(self) -> str:
        return with_suggestion(reason(self.code, self.params), self.suggestion)


class StoredRow(NamedTuple):
    """A row of the database."""

    pk: int
    record: Record
    """A column that it lacks is empty."""
    hidden: frozenset[str] = frozenset()
    """Columns whose value refers to a row that the person does not see."""


@dataclass(slots=True)
class FileRow:
    """What a file says about one row, and what that changes."""

    line: int
    """0: a stored row that the file does not have."""
    key: Key
    given: Record = field(default_factory=dict)
    faults: list[RowFault] = field(default_factory=list)
    pk: int | None = None
    """The stored row; None if it is new."""
    before: Record = field(default_factory=dict)
    """What the changed columns have; empty for a new row."""
    after: Record = field(default_factory=dict)
    """What they get; all columns of a new row."""
    made: Record = field(default_factory=dict)
    """What else its application created or changed, so that it can be undone."""
    is_kept: bool = False
    """Whether undoing left it as it is, because somebody had changed it."""

    @property
    def effect(self) -> Effect:
        if self.faults:
            return Effect.REFUSED
        if not self.line:
            return Effect.ABSENT
        if self.pk is None:
            return Effect.CREATED
        return Effect.CHANGED if self.after else Effect.UNCHANGED

    @property
    def stored_pk(self) -> int:
        """That of a row that is stored by now."""
        assert self.pk is not None
        return self.pk

    @property
    def name(self) -> str:
        return " ".join(self.key)

    def refuse(self, column: str, value: object, code: str, suggestion: str = "", **params: Any) -> None:
        shown = str(value)[:MAX_SHOWN]
        self.faults.append(RowFault(self.line, column, shown, code, params, suggestion))

    def compare(self, stored: StoredRow | None, defaults: Record, normal: Callable[[str, Any], Any]) -> None:
        """Set what changes. `normal` returns the normal form of a column's stored value."""
        if stored is None:
            self.after = {**defaults, **self.given}
            return
        self.pk = stored.pk
        for column, value in self.given.items():
            has = stored.record.get(column, "")
            if value not in (has, normal(column, has)):
                self.before[column], self.after[column] = has, value
                if column in stored.hidden:
                    self.refuse(column, value, "hidden")

    def reversed(self) -> "FileRow":
        """The change back. Its faults are those of this row."""
        return FileRow(self.line, self.key, faults=self.faults, pk=self.pk, before=self.after, after=self.before)

    def packed(self) -> list[Any]:
        """The row as JSON."""
        faults = [list(fault) for fault in self.faults]
        return [self.line, list(self.key), self.pk, self.before, self.after, faults, self.made, self.is_kept]

    @classmethod
    def unpacked(cls, packed: list[Any]) -> "FileRow":
        line, key, pk, before, after, faults, made, is_kept = packed
        return cls(
            line, tuple(key), {}, [RowFault(*fault) for fault in faults], pk, before, after, made=made, is_kept=is_kept
        )
