"""What a file would change: each of its rows compared with the database. Nothing is changed."""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from itertools import batched
from typing import Any, NamedTuple

from django.db import transaction

from tms.accounts.models import User
from tms.fleet.lifecycle import Lifecycle
from tms.protocol.text import clean, is_storable
from tms.transfer.effects import effects_of
from tms.transfer.kinds.base import Reach, RowKind
from tms.transfer.kinds.cells import BadCell, FileColumn
from tms.transfer.kinds.labelled import PREFIX
from tms.transfer.kinds.registry import KINDS
from tms.transfer.kinds.terminals import TerminalRows
from tms.transfer.models import PART, Effect, Import, ImportNotPossible, ImportPart, ImportSource
from tms.transfer.nearest import Nearest
from tms.transfer.reading.files import MAX_CELL, Table, TableLine, UnreadableFile, read_table
from tms.transfer.reasons import with_suggestion
from tms.transfer.rows import FileRow

MAX_FAULTS = 100
"""Faults of one row that are stored."""
MAX_CORRECTIONS = 200


class BadHeader(UnreadableFile):
    """A column is unknown, missing or there twice."""

    def __init__(self, code: str, column: str, suggestion: str = "") -> None:
        super().__init__(code, column=column)
        self.suggestion = suggestion

    @property
    def text(self) -> str:
        return with_suggestion(f"{self.column}: {super().text}", self.suggestion)


class Correction(NamedTuple):
    """A person corrected a refused value on the page."""

    line: int
    column: str
    value: str
    instead: str


def check_file(kind: RowKind, *, name: str, data: bytes, by: User, at: datetime) -> Import:
    """Store what a file would change. Raises UnreadableFile."""
    table = read_table(data)  # may take seconds, in which nobody has to wait for the database
    with transaction.atomic():
        return _store(kind, table, name=name, data=data, by=by, at=at)


def _store(kind: RowKind, table: Table, *, name: str, data: bytes, by: User, at: datetime) -> Import:
    rows = plan(kind, table, by=by, at=at)
    made = Import.objects.create(kind=kind.name, file_name=name[-200:], created_by=by, created_at=at)
    ImportSource.objects.create(of=made, data=zlib.compress(data, 1))
    store_plan(made, rows, by=by)
    return made


def correct(chosen: Import, wanted: Correction | None, *, by: User, at: datetime) -> None:
    """Use another value instead of a refused one, and compare the file again; None: take all corrections back.

    Raises ImportNotPossible if the check refused no such value, there were too many, or the file is not kept any more.
    """
    source = ImportSource.objects.filter(of=chosen.pk).first()
    if source is None:
        raise ImportNotPossible
    try:
        table = read_table(zlib.decompress(source.data))
        with transaction.atomic():
            _correct(chosen, table, wanted, by=by, at=at)
    except UnreadableFile:  # a newer release has other columns or limits
        raise ImportNotPossible from None


def _correct(chosen: Import, table: Table, wanted: Correction | None, *, by: User, at: datetime) -> None:
    locked = Import.objects.select_for_update(of=("self",)).filter(pk=chosen.pk).select_related("approval").first()
    source = ImportSource.objects.filter(of=chosen.pk).first()
    if locked is None or source is None or not locked.is_checked or locked.is_waiting(at):
        raise ImportNotPossible
    if wanted is None:
        source.corrections = []
    else:
        if not _is_fault(locked, wanted) or len(source.corrections) >= MAX_CORRECTIONS:
            raise ImportNotPossible
        source.corrections.append([*wanted])
    source.save(update_fields=("corrections",))
    corrections = [Correction(*each) for each in source.corrections]
    rows = plan(KINDS[locked.kind], table, by=by, at=at, corrections=corrections)
    locked.parts.all().delete()
    store_plan(locked, rows, by=by)


def _is_fault(of: Import, wanted: Correction) -> bool:
    """Whether the check refused this value in a column of these rows."""
    if wanted.column not in KINDS[of.kind].current().column:
        return False
    parts: Iterator[ImportPart] = of.parts.filter(effect=Effect.REFUSED).iterator(10)
    faults = (fault for part in parts for row in map(FileRow.unpacked, part.rows) for fault in row.faults)
    return any((fault.line, fault.column, clean(fault.value).strip()) == wanted[:3] for fault in faults)


def plan(
    kind: RowKind, table: Table, *, by: User, at: datetime, corrections: Sequence[Correction] = ()
) -> list[FileRow]:
    """Every row of a file with its effect, and those that it should have. Raises UnreadableFile."""
    kind = kind.current()
    columns = _columns(kind, table.header)
    reach = Reach(by, kind.permission, at)
    by_line: dict[int, list[Correction]] = {}
    for correction in corrections:
        by_line.setdefault(correction.line, []).append(correction)
    lines = [_row(kind, columns, line, by_line.get(line.number, ()), reach.nearest) for line in table.lines]
    rows = kind.gather(lines)
    _compare(kind, rows, reach)
    kind.check([row for row in rows if row.key[0]], reach)
    return [*rows, *kind.absent(rows, reach)]


def _columns(kind: RowKind, header: Sequence[str]) -> list[FileColumn]:
    columns: list[FileColumn] = []
    for name in header:
        column = kind.column.get(name.casefold())
        if column is None:
            code = "unknown-attribute" if name.casefold().startswith(PREFIX) else "unknown-column"
            raise BadHeader(code, name[:100], Nearest()(name, kind.column))
        if column in columns:
            raise BadHeader("column-twice", name)
        columns.append(column)
    for name, column in kind.column.items():
        if column not in columns and (kind.needs_all_columns or name in kind.key):
            raise BadHeader("missing-column", name)
    return columns


def _row(
    kind: RowKind, columns: Sequence[FileColumn], line: TableLine, corrections: Iterable[Correction], nearest: Nearest
) -> FileRow:
    row = FileRow(line.number, ())
    cells = [*line.cells, *[""] * (len(columns) - len(line.cells))]
    texts = {column.name: cell for column, cell in zip(columns, cells, strict=False)}
    for _line, name, value, instead in corrections:  # perhaps of a column that the file has not
        texts[name] = kind.column[name].corrected(texts.get(name, ""), value, instead)
    values = {name: _value(row, kind.column[name], text, nearest) for name, text in texts.items()}
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
                if column.is_required and column.name not in kind.key and not row.after.get(column.name):
                    row.refuse(column.name, "", "required")


def store_plan(of: Import, rows: Sequence[FileRow], *, by: User) -> None:
    """Store rows that are not unchanged as parts, by effect."""
    by_effect: dict[Effect, list[FileRow]] = {effect: [] for effect in Effect}
    for row in rows:
        row.faults = row.faults[:MAX_FAULTS]
        by_effect[row.effect].append(row)
    of.counts = _counts(by_effect)
    kind = TerminalRows.name if of.is_edit else of.kind
    of.effects = effects_of(by_effect[Effect.CREATED] + by_effect[Effect.CHANGED], kind=kind, to=by)
    of.save(update_fields=("counts", "effects"))
    del by_effect[Effect.UNCHANGED]
    ImportPart.objects.bulk_create(
        (
            ImportPart(of=of, effect=effect, number=number, rows=[row.packed() for row in some])
            for effect, listed in by_effect.items()
            for number, some in enumerate(batched(listed, PART))
        ),
        batch_size=50,
    )


def _counts(by_effect: Mapping[Effect, Sequence[FileRow]]) -> dict[str, Any]:
    counts = Counter({effect.value: len(listed) for effect, listed in by_effect.items()})
    absent = by_effect[Effect.ABSENT]
    counts["absent_in_service"] = sum(row.before["lifecycle"] == Lifecycle.IN_SERVICE for row in absent)
    return dict(+counts)
