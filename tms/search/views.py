"""The page of the search, and its results for the dialog that `Ctrl+K` opens on every page."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts.access import scope_of
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.boards.pages.base import PageState, nav
from tms.boards.pages.render_context import RenderContext
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.query.completion import complete
from tms.search import services
from tms.search.query import MAX_CHARACTERS, SearchQuery
from tms.search.services import Results

OF_DIALOG, OF_PAGE = 3, 20
"""Hits of each kind."""
MAX_CURSOR_DIGITS = 6


@require_safe
@never_cache
@sign_in_required
def search(request: AuthenticatedRequest) -> HttpResponse:
    """The page of the search; with `about`, the actions on one row. For htmx only the results, as options of a list."""
    at, query = timezone.now(), SearchQuery.of(request.GET.get("q", ""))
    is_dialog = request.htmx.request_type == "partial"
    results = _results(request, query, limit=OF_DIALOG if is_dialog else OF_PAGE)
    asked = request.GET.get("about") or request.GET.get("q", "")
    context = {"results": results, "query": query, "is_list": is_dialog, "asked": asked}
    if is_dialog:
        return render(request, "search/results.html#results", context)
    around = {"page_state": PageState(nav(RenderContext(at, scope_of(request.user)))), "at": at}
    return render(request, "search/page.html", context | around)


@require_safe
@never_cache
@sign_in_required
def complete_search(request: AuthenticatedRequest) -> HttpResponse:
    """Completions of the query `q` at the character `cursor`, once it has a condition, of a word that was begun.

    Otherwise the text may be anything, or complete: fields would stand in the way of what is found.
    """
    text, cursor = request.GET.get("q", "")[:MAX_CHARACTERS].replace("\0", " "), request.GET.get("cursor", "")
    at = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < MAX_CURSOR_DIGITS else len(text)
    is_begun = services.OPERATORS & set(text) and not text[:at].endswith(" ")
    found = complete(text, at, TERMINAL_FIELDS, request.user) if is_begun else []
    return render(request, "forms/completions.html", {"completions": found})


def _results(request: AuthenticatedRequest, query: SearchQuery, *, limit: int) -> Results:
    at, about = timezone.now(), request.GET.get("about", "")
    found = services.actions_of(about, person=request.user, at=at) if about else None
    return found or services.search(query, person=request.user, at=at, limit=limit)
