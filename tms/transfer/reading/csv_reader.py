"""CSV as spreadsheets write it: in UTF-8, UTF-16 or Shift_JIS, with commas, semicolons or tabs."""

import csv
from collections.abc import Iterator
from io import StringIO

from tms.lib.csv_text import restored
from tms.transfer.reading.files import UnreadableFile

BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
ENCODINGS = ("utf-8", "cp932")
"""Tried in turn. Text in Shift_JIS is hardly ever valid UTF-8."""
DELIMITERS = (",", ";", "\t")


def lines(data: bytes) -> Iterator[list[str]]:
    text = _decoded(data)
    delimiter = max(DELIMITERS, key=text.lstrip().partition("\n")[0].count)
    rows = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    number = 1
    try:
        for cells in rows:
            yield [restored(cell) for cell in cells]
            number += 1
    except csv.Error as error:
        raise UnreadableFile("bad-csv", row=number, detail=str(error)) from error


def _decoded(data: bytes) -> str:
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    for encoding in (marked,) if marked else ENCODINGS:
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UnreadableFile("unknown-encoding")
