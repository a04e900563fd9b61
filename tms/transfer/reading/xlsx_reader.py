"""The first sheet of a workbook, row by row: only the values of its cells are read, no formula is computed."""

import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from io import BytesIO
from typing import Any
from xml.etree.ElementTree import ParseError

from tms.transfer.reading.files import MAX_COLUMNS, UnreadableFile

MAX_UNPACKED = 400 * 1024 * 1024
"""Bytes of all parts of a workbook. Larger ones are bombs: sixty thousand rows have a tenth of it."""
MAX_TEXTS = 100 * 1024 * 1024
"""Bytes of the part with shared texts, which is held in memory."""
UNREADABLE = (zipfile.BadZipFile, ParseError, KeyError, ValueError, TypeError, AttributeError, IndexError, OSError)
"""What openpyxl raises for files that are no workbooks, or damaged ones."""


def lines(data: bytes) -> Iterator[list[str]]:
    try:
        from openpyxl import load_workbook
    except ImportError:
        raise UnreadableFile("no-xlsx") from None
    try:
        _check_size(data)
        book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()  # those in the file may lie
        for row in sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True):
            yield [_text(value) for value in row]
    except UNREADABLE as error:
        if isinstance(error, UnreadableFile):
            raise
        raise UnreadableFile("bad-xlsx") from error


def _check_size(data: bytes) -> None:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        parts = archive.infolist()
    texts = sum(part.file_size for part in parts if "sharedStrings" in part.filename)
    if sum(part.file_size for part in parts) > MAX_UNPACKED or texts > MAX_TEXTS:
        raise UnreadableFile("too-large", most=MAX_UNPACKED // 2**20)


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
