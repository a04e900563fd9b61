"""Parameter sets: files with a row for each terminal and a column for each key.

A cell has the effective value, as people wrote it. What differs from that becomes a value of the terminal itself, in
the draft; an empty cell means that the terminal has none of its own. A file is checked as a whole before anything is
saved. Secrets are in no file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import batched
from typing import Any, NamedTuple

from django.db.models import QuerySet

from tms.accounts.access import permitted, visible
from tms.accounts.models import User
from tms.configuration import versions
from tms.configuration.checking import known_variables, value_fault
from tms.configuration.contents import FleetPlaces, VersionLayers
from tms.configuration.layers import Effective
from tms.configuration.models import ConfigurationKey, ConfigurationVersion, Layer
from tms.configuration.places import EDIT, Place
from tms.configuration.values.cells import read_cell, write_cell
from tms.configuration.values.schemas import ValueFault
from tms.configuration.versions import MAX_EDITS, REMOVED, ValueEdit, is_equal
from tms.fleet.models import Terminal
from tms.lib.csv_text import Cell
from tms.transfer.nearest import Nearest
from tms.transfer.reading.files import Table, TableLine, read_table

TERMINAL = "terminal"
"""The first column."""
CHUNK = 500
MAX_ERRORS = 200


class FileError(NamedTuple):
    row: int
    """The number in a spreadsheet; 1 is the header."""
    column: str
    value: str
    problem: str
    suggestion: str = ""


@dataclass
class ParameterSets:
    """What a file says."""

    terminals: int = 0
    keys: int = 0
    edits: list[ValueEdit] = field(default_factory=list)
    errors: list[FileError] = field(default_factory=list)
    """The first `MAX_ERRORS`."""
    error_number: int = 0

    def refuse(self, error: FileError) -> None:
        self.error_number += 1
        if len(self.errors) < MAX_ERRORS:
            self.errors.append(error)


def import_file(data: bytes, *, by: User, at: datetime) -> tuple[ParameterSets, ConfigurationVersion | None]:
    """Put a file into the draft. None, and nothing is saved, if it has errors or changes nothing.

    Raises UnreadableFile.
    """
    found = read(data, by=by)
    if found.errors or not found.edits:
        return found, None
    return found, versions.edit(found.edits, by=by, at=at)


def read(data: bytes, *, by: User) -> ParameterSets:
    """Raises UnreadableFile."""
    table = read_table(data)
    found = ParameterSets()
    columns = _columns(table, found)
    if not found.errors:
        _SetReader(columns, found, by).read(table)
    return found


def _columns(table: Table, found: ParameterSets) -> list[ConfigurationKey]:
    """The keys of the columns after the first."""
    keys = {key.name: key for key in ConfigurationKey.objects.all()}
    nearest = Nearest()
    first, *names = table.header or [""]
    if first != TERMINAL:
        found.refuse(FileError(1, first, "", f"the first column must be called {TERMINAL}", TERMINAL))
    if len(names) > len(keys):
        found.refuse(FileError(1, "", "", f"{len(names):,} columns of keys; there are {len(keys):,} keys"))
        return []
    for name in names:
        if name not in keys:
            found.refuse(FileError(1, name, "", "unknown key", nearest(name, keys)))
        elif keys[name].is_secret:
            found.refuse(FileError(1, name, "", "secret values are not in files; remove the column"))
        elif names.count(name) > 1:
            found.refuse(FileError(1, name, "", "the column is there twice"))
    found.keys = len(names)
    return [keys[name] for name in names if name in keys]


class _SetReader:
    def __init__(self, columns: Sequence[ConfigurationKey], found: ParameterSets, by: User) -> None:
        self._columns, self._found = columns, found
        self._seen = visible(Terminal.objects.all(), to=by)
        self._may = permitted(Terminal.objects.all(), by=by, permission=EDIT)
        self._variables = known_variables()
        self._faults: dict[tuple[str, str], ValueFault | None] = {}
        self._rows: dict[str, int] = {}

    def read(self, table: Table) -> None:
        number = current_number()
        for lines in batched(table.lines, CHUNK):
            self._read_some(lines, number)

    def _read_some(self, lines: Sequence[TableLine], number: int) -> None:
        uids = {line.number: line.cells[0].strip() for line in lines}
        terminals = dict(self._seen.filter(uid__in=set(uids.values())).values_list("uid", "pk"))
        allowed = set(self._may.filter(pk__in=terminals.values()).values_list("pk", flat=True))
        places = FleetPlaces(terminals.values())
        layers = VersionLayers(places, [number]).at(number)
        for line in lines:
            uid = uids[line.number]
            pk = terminals.get(uid)
            if problem := self._row_problem(uid, line.number, pk, allowed):
                self._found.refuse(FileError(line.number, TERMINAL, uid, problem))
            elif pk is not None:
                self._found.terminals += 1
                where = places.of[pk]
                self._read_cells(line, pk, where.model, layers.effective(where))

    def _row_problem(self, uid: str, row: int, pk: int | None, allowed: set[int]) -> str:
        first = self._rows.setdefault(uid, row)
        if first != row:
            return f"the terminal is in row {first}, too"
        if pk is None:
            return "unknown terminal; check its UID"
        return "" if pk in allowed else "you may not change the configuration of this terminal"

    def _read_cells(self, line: TableLine, pk: int, model: str, effective: Effective) -> None:
        cells = line.cells[1:]
        if len(cells) > len(self._columns):
            self._found.refuse(FileError(line.number, "", cells[len(self._columns)][:64], "there is no such column"))
        for index, key in enumerate(self._columns):
            cell = cells[index] if index < len(cells) else ""
            stored = effective[key.name].stored if key.name in effective else None
            if not cell.strip():
                if stored and stored.layer is Layer.TERMINAL:
                    self._add(ValueEdit(key, Place(Layer.TERMINAL, pk), REMOVED), line.number)
                continue
            if key.for_models and model not in key.for_models:
                self._found.refuse(FileError(line.number, key.name, cell[:64], f"{model} does not have this key"))
                continue
            value = read_cell(cell, key.schema)
            if stored is None or not is_equal(stored.value, value):
                self._set(key, pk, cell, value, line.number)

    def _set(self, key: ConfigurationKey, pk: int, cell: str, value: Any, row: int) -> None:
        if (key.name, cell) not in self._faults:
            self._faults[key.name, cell] = value_fault(key, value, self._variables)
        if fault := self._faults[key.name, cell]:
            suggestion = str(write_cell(fault.suggestion[0], key.schema)) if fault.suggestion else ""
            self._found.refuse(FileError(row, key.name, cell[:64], fault.problem, suggestion))
        else:
            self._add(ValueEdit(key, Place(Layer.TERMINAL, pk), value), row)

    def _add(self, edit: ValueEdit, row: int) -> None:
        if len(self._found.edits) < MAX_EDITS:
            self._found.edits.append(edit)
        else:
            self._found.refuse(FileError(row, edit.key.name, "", f"more than {MAX_EDITS:,} values change"))


def current_number() -> int:
    """The version that edits are compared with: the draft, or else the newest one."""
    found = versions.draft() or versions.newest_ready()
    return found.number if found else 0


def exported_keys(model: str = "") -> list[ConfigurationKey]:
    keys = ConfigurationKey.objects.filter(is_secret=False)
    return [key for key in keys if not model or not key.for_models or model in key.for_models]


def exported_rows(terminals: QuerySet[Terminal], keys: Sequence[ConfigurationKey]) -> Iterator[list[list[Cell]]]:
    """The rows of these terminals, some hundreds at a time."""
    number, last = current_number(), ""
    while found := list(terminals.filter(uid__gt=last).order_by("uid").values_list("pk", "uid")[:CHUNK]):
        last = found[-1][1]
        places = FleetPlaces([pk for pk, _ in found])
        layers = VersionLayers(places, [number]).at(number)
        yield [[uid, *_cells(layers.effective(places.of[pk]), keys)] for pk, uid in found if pk in places.of]


def _cells(effective: Effective, keys: Sequence[ConfigurationKey]) -> list[Cell]:
    return [write_cell(effective[key.name].stored.value, key.schema) if key.name in effective else "" for key in keys]
