"""The list of terminals beside its live page: a person's columns, and the export."""

from django.http import HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts.access import visible
from tms.accounts.audit import recorder
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.me import preferences
from tms.boards.list_filters.terminal_layout import TerminalLayout
from tms.boards.list_filters.terminal_selection import TerminalSelection
from tms.boards.pages import TerminalsPage
from tms.boards.terminal_list.export import head_of, rows_to_export
from tms.fleet.models import Terminal
from tms.lib import csv_export


@require_POST
@sign_in_required
def choose_columns(request: AuthenticatedRequest) -> HttpResponse:
    """Remember the columns for the person, and show the list with them. `list` is its filter."""
    query = QueryDict(request.POST.get("list", ""), mutable=True)
    query["order"] = request.POST.get("order", "")
    layout = TerminalLayout() if "reset" in request.POST else TerminalLayout.of(request.POST, person=request.user)
    query["columns"] = chosen = layout.remembered
    preferences.store(request.user, terminal_columns=chosen)
    request.user.terminal_columns = chosen
    return redirect(TerminalsPage.open(query, person=request.user).address)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def export_terminals(request: AuthenticatedRequest) -> HttpResponseBase:
    """The terminals that match, or the selected ones, with the columns and in the order of the list, as CSV."""
    given = request.POST if request.method == "POST" else request.GET
    page, selection = TerminalsPage.open(given, person=request.user), TerminalSelection.of(given)
    listed = visible(Terminal.objects.all(), to=request.user)
    rows = page.chosen.apply(listed) if selection.is_empty else selection.apply(listed)
    recorder.record_export(Terminal, "csv", _filter_of(given))
    columns = page.layout.columns()
    more = rows_to_export(rows, page.order, columns, at=timezone.now())
    return csv_export.stream(f"tms-terminals-{timezone.localtime():%Y-%m-%d}.csv", head_of(columns), more)


def _filter_of(given: QueryDict) -> str:
    known = given.copy()
    known.pop("csrfmiddlewaretoken", None)
    return known.urlencode()
