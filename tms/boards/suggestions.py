"""Rows that a combobox suggests while a person types, as options of its list."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts.access import permitted, visible
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.boards.list_filters.filters import TerminalFilter
from tms.boards.list_filters.query_filter import MAX_QUERY_CHARACTERS
from tms.fleet.device_query import DEVICE_FIELDS
from tms.fleet.models import Site, Terminal
from tms.fleet.search import sites_like, terminals_like
from tms.fleet.site_query import SITE_FIELDS
from tms.fleet.sites.names import Bilingual
from tms.fleet.terminal_query import TERMINAL_FIELDS
from tms.lib.db.natural_order import natural
from tms.query.completion import complete
from tms.query.fields import FieldSet

MAX_SUGGESTED = 20
MAX_COUNTED = 10_000
MAX_TEXT = 64
MAX_CURSOR_DIGITS = 6


class Suggestion(NamedTuple):
    key: str
    name: str | Bilingual
    detail: str | Bilingual


type RowFilter = Callable[[QuerySet[Model]], QuerySet[Model]]


@require_safe
@never_cache
@sign_in_required
def suggest_sites(request: AuthenticatedRequest) -> HttpResponse:
    seen = _filter(request)
    return _suggest(request, seen(Site.objects.order_by(natural("code"))), sites_like, _of_site)


@require_safe
@never_cache
@sign_in_required
def suggest_terminals(request: AuthenticatedRequest) -> HttpResponse:
    seen = _filter(request)
    rows = seen(Terminal.objects.select_related("site").order_by(natural("uid")))
    return _suggest(request, rows, terminals_like, _of_terminal)


@require_safe
@never_cache
@sign_in_required
def complete_terminals(request: AuthenticatedRequest) -> HttpResponse:
    """What may stand at the `cursor` of the query `q`; values are those that the person may see."""
    counted = _count(TerminalFilter.of(request.GET), request.user) if request.GET.get("count") == "1" else {}
    return _complete(request, TERMINAL_FIELDS, counted)


@require_safe
@never_cache
@sign_in_required
def complete_sites(request: AuthenticatedRequest) -> HttpResponse:
    """The same for sites."""
    return _complete(request, SITE_FIELDS, {})


@require_safe
@never_cache
@sign_in_required
def complete_devices(request: AuthenticatedRequest) -> HttpResponse:
    """The same for devices."""
    return _complete(request, DEVICE_FIELDS, {})


def _complete(request: AuthenticatedRequest, fields: FieldSet, counted: Mapping[str, object]) -> HttpResponse:
    text, cursor = request.GET.get("q", "")[:MAX_QUERY_CHARACTERS], request.GET.get("cursor", "")
    at = int(cursor) if cursor.isascii() and cursor.isdigit() and len(cursor) < MAX_CURSOR_DIGITS else len(text)
    found = complete(text.replace("\0", " "), at, fields, request.user)
    return render(request, "forms/completions.html", {"completions": found, **counted})


def _count(chosen: TerminalFilter, person: User) -> dict[str, object]:
    """How many terminals of the person match, as far as they are counted; nothing while the query is none."""
    if chosen.problem or chosen.is_empty:
        return {}
    found = chosen.apply(visible(Terminal.objects.all(), to=person)).order_by()
    number = found.values("pk")[: MAX_COUNTED + 1].count()
    return {"is_counted": True, "matching": min(number, MAX_COUNTED), "is_capped": number > MAX_COUNTED}


def _filter(request: AuthenticatedRequest) -> RowFilter:
    """The rows that the person sees; with `for`, those for which the person has that permission."""
    needed = request.GET.get("for")
    if not needed:
        return partial(visible, to=request.user)
    permission = next((one for one in Permission if one.key == needed), None)
    if permission is None:
        raise Http404
    return partial(permitted, by=request.user, permission=permission)


def _suggest(
    request: AuthenticatedRequest,
    rows: QuerySet[Model],
    like: Callable[[str], Q],
    suggestion: Callable[[Any], Suggestion],
) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:MAX_TEXT]
    found = list((rows.filter(like(text)) if text else rows)[: MAX_SUGGESTED + 1])
    context = {"suggestions": map(suggestion, found[:MAX_SUGGESTED]), "is_cut": len(found) > MAX_SUGGESTED}
    return render(request, "forms/suggestions.html", context)


def _of_site(site: Site) -> Suggestion:
    return Suggestion(site.code, Bilingual(site.name, site.name_ja), site.code)


def _of_terminal(terminal: Terminal) -> Suggestion:
    site = terminal.site
    return Suggestion(terminal.uid, terminal.uid, Bilingual(site.name, site.name_ja))
