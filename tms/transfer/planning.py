"""What a file would change: each of its rows compared with the database. Nothing is changed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import batched

from django.db import transaction

from tms.accounts.models import User
from tms.protocol.text import is_storable
from tms.transfer.kinds.base import Reach, RowKind
from tms.transfer.kinds.cells import BadCell, FileColumn
from tms.transfer.models import Effect, Import, ImportPart
from tms.transfer.nearest import Nearest
from tms.transfer.reading.files import MAX_CELL, Table, TableLine, UnreadableFile, read_table
from tms.transfer.reasons import with_suggestion
from tms.transfer.rows import FileRow

PART = 200
"""Rows of a part, which is a page of the diff."""
MAX_FAULTS = 100
"""Faults of one row that are stored."""


class BadHeader(UnreadableFile):
    """A column is unknown, missing or there twice."""

    def __init__(self, code: str, column: str, suggestion: str = "") -> None:
        super().__init__(code, column=column)
        self.suggestion = suggestion

    @property
    def text(self) -> str:
        return with_suggestion(f"{self.column}: {super().text}", self.suggestion)


@transaction.atomic
def check_file(kind: RowKind, *, name: str, data: bytes, by: User, at: datetime) -> Import:
    """Store what a file would change. Raises UnreadableFile."""
    rows = plan(kind, read_table(name, data), by=by)
    counts = Counter(row.effect for row in rows)
    made = Import.objects.create(
        kind=kind.name,
        file_name=name[-200:],
        created_by=by,
        created_at=at,
        counts={key.value: n for key, n in counts.items()},
    )
    store_rows(made, (row for row in rows if row.effect != Effect.UNCHANGED))
    return made


def plan(kind: RowKind, table: Table, *, by: User) -> list[FileRow]:
    """Every row of a file with its effect. Raises UnreadableFile."""
    columns = _columns(kind, table.header)
    reach = Reach(by, kind.permission)
    rows = kind.gather([_row(kind, columns, line, reach.nearest) for line in table.lines])
    _compare(kind, rows, reach)
    kind.check([row for row in rows if row.key[0]], reach)
    return rows


def _columns(kind: RowKind, header: Sequence[str]) -> list[FileColumn]:
    columns: list[FileColumn] = []
    for name in header:
        column = kind.column.get(name.casefold())
        if column is None:
            raise BadHeader("unknown-column", name[:100], Nearest()(name, kind.column))
        if column in columns:
            raise BadHeader("column-twice", name)
        columns.append(column)
    for name, column in kind.column.items():
        if column not in columns and (kind.needs_all_columns or name in kind.key):
            raise BadHeader("missing-column", name)
    return columns


def _row(kind: RowKind, columns: Sequence[FileColumn], line: TableLine, nearest: Nearest) -> FileRow:
    row = FileRow(line.number, ())
    cells = [*line.cells, *[""] * (len(columns) - len(line.cells))]
    values = {column.name: _value(row, column, cell, nearest) for column, cell in zip(columns, cells, strict=False)}
    if len(line.cells) > len(columns):
        row.refuse("", line.cells[len(columns)], "too-many-cells")
    row.key = tuple(values.pop(name) or "" for name in kind.key)
    row.given = {name: value for name, value in values.items() if value is not None}
    return row


def _value(row: FileRow, column: FileColumn, cell: str, nearest: Nearest) -> str | None:
    """The value of a cell; None if it says nothing. A bad one is refused."""
    if len(cell) > MAX_CELL or len(cell.encode(errors="replace")) > MAX_CELL:
        row.refuse(column.name, cell, "cell-too-long")
    elif not is_storable(cell):
        row.refuse(column.name, ascii(cell[:50]), "unstorable")
    elif cell.strip():
        try:
            return column.read(cell)
        except BadCell as bad:
            row.refuse(column.name, cell.strip(), bad.code, nearest(cell.strip(), bad.known), **bad.params)
    elif column.is_required:
        row.refuse(column.name, "", "required")
    elif not column.default:
        return ""
    return None


def _compare(kind: RowKind, rows: Sequence[FileRow], reach: Reach) -> None:
    stored = kind.stored({row.key for row in rows if row.key[0]}, reach)
    for row in rows:
        row.compare(stored.get(row.key), kind.defaults, kind.normal)
        if row.pk is None and not row.faults:
            for column in kind.columns:
                if column.is_required and not row.after.get(column.name, "" if column.name not in kind.key else "-"):
                    row.refuse(column.name, "", "required")


def store_rows(of: Import, rows: Iterable[FileRow]) -> None:
    """Store rows as parts, by effect."""
    by_effect: dict[Effect, list[FileRow]] = {}
    for row in rows:
        row.faults = row.faults[:MAX_FAULTS]
        by_effect.setdefault(row.effect, []).append(row)
    ImportPart.objects.bulk_create(
        (
            ImportPart(of=of, effect=effect, number=number, rows=[row.packed() for row in some])
            for effect, listed in by_effect.items()
            for number, some in enumerate(batched(listed, PART))
        ),
        batch_size=50,
    )
