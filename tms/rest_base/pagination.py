"""Pagination by keyset: each response has the URL of the next page. A cursor is a row, not a number."""

from collections.abc import Sequence
from typing import NamedTuple

from django.core import signing
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from pydantic import Field

from tms.lib.pagination import Keyset
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.schemas import RequestSchema, ResponseSchema


class PageQuery(RequestSchema):
    limit: int = Field(50, ge=1, le=200, description="Items per page.")
    cursor: str = Field("", max_length=1_000, description="Opaque; part of `next` of the previous page.")


class Page[Item](ResponseSchema):
    items: list[Item]
    next: str | None = Field(description="URL of the next page, also in the `Link` header; null on the last page.")


class CursorPage[Row: Model](NamedTuple):
    rows: Sequence[Row]
    next: str | None


def paginate[Row: Model](
    request: HttpRequest, response: HttpResponse, rows: QuerySet[Row], query: PageQuery, *, order: Keyset
) -> CursorPage[Row]:
    """One page of `rows`; joins and prefetches are read for this page only."""
    bare = rows.select_related(None).prefetch_related(None)
    window = order.window(bare, after=_after(request, query), size=query.limit)
    found = rows.in_bulk(window.pks)
    following = _address(request, window.after) if window.after else None
    if following:
        response["Link"] = f'<{following}>; rel="next"'
    return CursorPage([found[pk] for pk in window.pks if pk in found], following)


def _after(request: HttpRequest, query: PageQuery) -> str:
    if not query.cursor:
        return ""
    try:
        return str(_signer(request).unsign_object(query.cursor))
    except (signing.BadSignature, ValueError):
        raise unreadable(RequestFault("?cursor", "invalid cursor for this list; start without one")) from None


def _address(request: HttpRequest, after: str) -> str:
    query = request.GET.copy()
    query["cursor"] = _signer(request).sign_object(after)
    return request.build_absolute_uri(f"{request.path}?{query.urlencode()}")


def _signer(request: HttpRequest) -> signing.Signer:
    """Signed, so that only cursors made by TMS reach the database; a cursor is valid for its own list only."""
    return signing.Signer(salt=f"tms.rest_base.cursor{request.path}")
