"""Tables in files that people upload: CSV in several encodings, and workbooks. The content may be hostile."""

from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

from tms.transfer.reasons import reason

MAX_ROWS = 60_000
MAX_LINES = 3 * MAX_ROWS
"""Rows with blank ones."""
MAX_BYTES = 20 * 1024 * 1024
"""Bytes of a file, and characters of all its cells."""
MAX_CELL = 64 * 1024
"""Bytes of a cell in UTF-8."""
MAX_COLUMNS = 64


class UnreadableFile(ValueError):
    """The file as a whole cannot be read. `column` is empty unless one of the header is wrong."""

    def __init__(self, code: str, *, column: str = "", **params: Any) -> None:
        super().__init__(code)
        self.code, self.column, self.params = code, column, params

    @property
    def text(self) -> str:
        return reason(self.code, self.params)


class TableLine(NamedTuple):
    number: int
    """Its row in a spreadsheet; 1 is the header."""
    cells: list[str]


class Table(NamedTuple):
    header: list[str]
    lines: list[TableLine]


def read_table(data: bytes) -> Table:
    """The rows of an uploaded file. Raises UnreadableFile."""
    from tms.transfer.reading import csv_reader, xlsx_reader

    if len(data) > MAX_BYTES:
        raise UnreadableFile("too-large", most=MAX_BYTES // 2**20)
    is_workbook = data.startswith(b"PK\x03\x04")
    lines = _filled(xlsx_reader.lines(data) if is_workbook else csv_reader.lines(data))
    header = next(lines, None)
    if header is None:
        raise UnreadableFile("empty")
    return Table([cell.strip() for cell in header.cells], _counted(lines))


def _filled(rows: Iterator[list[str]]) -> Iterator[TableLine]:
    """The rows that are not blank, without blank cells at the end."""
    for number, cells in enumerate(rows, 1):
        if number > MAX_LINES:
            raise UnreadableFile("too-many-rows", most=f"{MAX_ROWS:,}")
        while cells and not cells[-1].strip():
            cells.pop()
        if cells:
            yield TableLine(number, cells)


def _counted(lines: Iterator[TableLine]) -> list[TableLine]:
    found = list(islice(lines, MAX_ROWS + 1))
    if len(found) > MAX_ROWS:
        raise UnreadableFile("too-many-rows", most=f"{MAX_ROWS:,}")
    return found
