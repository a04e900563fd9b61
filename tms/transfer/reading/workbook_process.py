"""A process that reads the first sheet of a workbook: its standard input. It ends itself at a limit of time or memory.

It writes a line of JSON for each row: a list of texts. It starts as a file, because it needs nothing else of TMS.
"""

import json
import resource
import sys
from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO
from itertools import islice
from typing import IO, Any
from zipfile import ZipFile

from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet

MAX_PART = 1024 * 1024
"""Unpacked bytes of a part that is parsed as a whole: types, relations, sheets, styles. A MiB takes half a second."""
MAX_TABLE = 128 * 1024 * 1024
"""Unpacked bytes of a sheet, or of the shared texts. Sixty thousand rows have a quarter of it."""
TOO_LARGE = 3
"""How it exits if a part, or the text of all cells, is too large."""


class PartTooLarge(Exception):
    pass


class BoundedArchive(ZipFile):
    """A ZIP file whose parts are refused before they are unpacked if they say that they are larger.

    What a part has beyond the size that it says is not read.
    """

    def open(self, name: Any, *args: Any, **options: Any) -> IO[bytes]:
        return super().open(self._checked(name, MAX_TABLE), *args, **options)

    def read(self, name: Any, pwd: bytes | None = None) -> bytes:
        return super().read(self._checked(name, MAX_PART), pwd)

    def _checked(self, name: Any, most: int) -> Any:
        info = self.getinfo(name) if isinstance(name, str) else name
        if info.file_size > most:
            raise PartTooLarge
        return name


def rows(data: bytes, *, most_columns: int) -> Iterator[list[str]]:
    """The values of the cells as text; no formula is computed. Parts that are not needed are not opened."""
    reader = ExcelReader(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    reader.archive = BoundedArchive(BytesIO(data))
    reader.read_manifest()
    reader.read_strings()
    reader.read_workbook()
    apply_stylesheet(reader.archive, reader.wb)  # which numbers are dates
    reader.read_worksheets()
    sheet = reader.wb.worksheets[0]
    sheet.reset_dimensions()  # those in the file may lie
    for row in sheet.iter_rows(max_col=most_columns, values_only=True):
        yield [_text(value) for value in row]


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime) and value.time() == time():
        return value.date().isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="minutes")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def main(cpu_s: int, memory: int, most_rows: int, most_columns: int, most_text: int) -> None:
    for limit, value in ((resource.RLIMIT_CPU, cpu_s), (resource.RLIMIT_AS, memory), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))
    length = 0
    try:
        for row in islice(rows(sys.stdin.buffer.read(), most_columns=most_columns), most_rows):
            length += sum(map(len, row))  # one shared text may be that of all cells
            if length > most_text:
                sys.exit(TOO_LARGE)
            sys.stdout.write(json.dumps(row) + "\n")
    except (PartTooLarge, MemoryError):
        sys.exit(TOO_LARGE)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
