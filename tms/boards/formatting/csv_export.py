"""CSV, streamed, so that long tables need no memory."""

import csv
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from io import StringIO

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from tms.protocol.text import clean

CONTENT_TYPE = "text/csv; charset=utf-8"
MARK = "\ufeff"
"""Byte order mark: without it a spreadsheet misreads Japanese."""
FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
BLANKS = ("\t", "\n")
"""Spreadsheets execute a text that begins like this, and names of terminals are user input."""

type Cell = str | int | float | None
type More = Callable[[], Sequence[Sequence[Cell]]]
"""The next rows; empty at the end. Reads the database."""


def attached(name: str, rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    return HttpResponse(MARK + written(rows), content_type=CONTENT_TYPE, headers=_headers(name))


def streamed(name: str, head: Sequence[Cell], more: More) -> HttpResponseBase:
    async def parts() -> AsyncIterator[str]:
        yield MARK + written([head])
        while rows := await sync_to_async(more)():
            yield written(rows)

    return StreamingHttpResponse(parts(), content_type=CONTENT_TYPE, headers=_headers(name))


def written(rows: Iterable[Sequence[Cell]]) -> str:
    page = StringIO()
    csv.writer(page).writerows([[_safe(cell) for cell in row] for row in rows])
    return page.getvalue()


def _safe(cell: Cell) -> Cell:
    if not isinstance(cell, str):
        return cell
    # Rows that an earlier release stored may contain control characters.
    cell = clean(cell, keeps_lines=True)
    return f"'{cell}" if cell.lstrip().startswith(FORMULA) or cell.startswith(BLANKS) else cell


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
