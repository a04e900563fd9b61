"""CSV, streamed, so that long tables need no memory."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence

from asgiref.sync import sync_to_async
from django.http import HttpResponse, HttpResponseBase, StreamingHttpResponse

from tms.lib.csv_text import Cell, csv_text

__all__ = ["Cell", "More", "attachment", "csv_text", "stream"]

CONTENT_TYPE = "text/csv; charset=utf-8"
MARK = "\ufeff"
"""Byte order mark: without it a spreadsheet misreads Japanese."""

type More = Callable[[], Sequence[Sequence[Cell]]]
"""The next rows; empty at the end. Reads the database."""


def attachment(name: str, rows: Iterable[Sequence[Cell]]) -> HttpResponse:
    return HttpResponse(MARK + csv_text(rows), content_type=CONTENT_TYPE, headers=_headers(name))


def stream(name: str, head: Sequence[Cell], more: More) -> HttpResponseBase:
    async def parts() -> AsyncIterator[str]:
        yield MARK + csv_text([head])
        while rows := await sync_to_async(more)():
            yield csv_text(rows)

    return StreamingHttpResponse(parts(), content_type=CONTENT_TYPE, headers=_headers(name))


def _headers(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"'}
