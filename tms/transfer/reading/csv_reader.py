"""CSV as spreadsheets write it: UTF-8 with or without byte order mark, UTF-16, or Shift_JIS; comma, semicolon or tab."""

import csv
from collections.abc import Iterator
from io import StringIO

from tms.lib.csv_text import restored
from tms.transfer.reading.files import BadFile

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
ENCODINGS = ("utf-8", "cp932")
"""Tried in turn. Text in Shift_JIS is hardly ever valid UTF-8."""
DELIMITERS = (",", ";", "\t")


def lines(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    delimiter = max(DELIMITERS, key=text.lstrip().partition("\n")[0].count)
    number = 0
    try:
        for number, cells in enumerate(csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            yield [restored(cell) for cell in cells]
    except csv.Error as error:
        raise BadFile("bad-csv", row=number + 1, detail=str(error)) from error


def _decoded(data: bytes) -> str:
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    for encoding in (marked,) if marked else ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile("unknown-encoding")
