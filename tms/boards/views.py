"""The views of the live pages: each renders what its socket then updates."""

from datetime import timedelta

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from tms.accounts import access
from tms.accounts.access import scope_of
from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.boards.alert_surroundings import surroundings
from tms.boards.formatting import instants
from tms.boards.list_filters.saved_views import ListState, count_views, known_numbers, numbered, tab_views, view_tabs
from tms.boards.list_filters.terminal_orders import BY_UID
from tms.boards.pages import (
    AlertPage,
    AlertsPage,
    IncidentPage,
    OverviewPage,
    RenderContext,
    SitePage,
    SitesPage,
    TerminalPage,
    TerminalsPage,
)
from tms.boards.pages.base import PageState, nav
from tms.boards.pages.terminal_chart import chart, chart_of_alert
from tms.boards.replay.chosen import query_of
from tms.boards.replay.incident_page import PastIncident
from tms.boards.replay.links import add_query
from tms.boards.replay.pages import PastAlert, PastAlerts, PastOverview, PastTerminal
from tms.boards.replay.responses import replayable
from tms.boards.responses import or_404, render_page, render_problem
from tms.commands.forms import CommandForm
from tms.replay.state import earliest
from tms.telemetry.history import series as telemetry

REPLAY_FROM = timedelta(hours=1)


@require_safe
@never_cache
@sign_in_required
@replayable(PastOverview)
def overview(request: AuthenticatedRequest) -> HttpResponse:
    return render_page(request, OverviewPage.open(request.GET, person=request.user))


@require_safe
@never_cache
@sign_in_required
def terminals(request: AuthenticatedRequest) -> HttpResponse:
    page = TerminalsPage.open(request.GET, person=request.user)
    if page.chosen.problem and request.htmx.request_type == "partial":
        return render_problem(request, page.chosen)
    listed = ListState(page.chosen, page.layout.parameter, page.order.parameter(default=BY_UID))
    tabs = view_tabs(listed, opened=page.view, person=request.user, scope=page.scope)
    return render_page(request, page, results="boards/terminals.html#results", tabs=tabs)


@require_safe
@never_cache
@sign_in_required
def view_numbers(request: AuthenticatedRequest) -> HttpResponse:
    """The numbers of the tabs of saved views; only those that were not counted lately are counted."""
    views, scope = numbered(tab_views(request.user)), scope_of(request.user)
    known = known_numbers(views, scope)
    numbers = known | count_views([view for view in views if view.pk not in known], scope)
    counted = [{"view": view, "number": numbers.get(view.pk)} for view in views]
    return render(request, "boards/view-tabs.html#numbers", {"counted": counted, "is_counted": True})


@require_safe
@never_cache
@sign_in_required
def sites(request: AuthenticatedRequest) -> HttpResponse:
    page = SitesPage.open(request.GET, person=request.user)
    if page.chosen.problem and request.htmx.request_type == "partial":
        return render_problem(request, page.chosen)
    return render_page(request, page, results="boards/sites.html#results")


@require_safe
@never_cache
@sign_in_required
def site(request: AuthenticatedRequest, code: str) -> HttpResponse:
    return render_page(request, SitePage.open(request.GET, person=request.user, code=code))


@require_safe
@never_cache
@sign_in_required
@replayable(PastTerminal)
def terminal(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    page = TerminalPage.open(request.GET, person=request.user, uid=uid)
    form = CommandForm(person=request.user, terminal=page.terminal) if page else None
    return render_page(request, page, form=form)


@require_safe
@never_cache
@sign_in_required
def series(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    page = or_404(TerminalPage.open(request.GET, person=request.user, uid=uid))
    span = telemetry.SPANS.get(request.GET.get("span", ""), telemetry.SPANS[telemetry.DEFAULT_SPAN])
    now = timezone.now()
    until = instants.parse(request.GET.get("until", "")) or now
    return JsonResponse(chart(page.terminal, span, at=min(now, max(until, page.terminal.created_at))))


@require_safe
@never_cache
@sign_in_required
@replayable(PastAlerts)
def alerts(request: AuthenticatedRequest) -> HttpResponse:
    return render_page(request, AlertsPage.open(request.GET, person=request.user), results="boards/alerts.html#results")


@require_safe
@never_cache
@sign_in_required
@replayable(PastAlert)
def alert(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    page, at = or_404(AlertPage.open(request.GET, person=request.user, pk=str(pk))), timezone.now()
    return render_page(request, page, context=surroundings(page.alert, scope=page.scope, at=at))


@require_safe
@never_cache
@sign_in_required
def alert_series(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    page = or_404(AlertPage.open(request.GET, person=request.user, pk=str(pk)))
    return JsonResponse(chart_of_alert(page.alert, until=instants.parse(request.GET.get("until", ""))))


@require_safe
@never_cache
@sign_in_required
@replayable(PastIncident)
def incident(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    return render_page(request, IncidentPage.open(request.GET, person=request.user, pk=str(pk)))


@require_safe
@never_cache
@sign_in_required
def replay(request: AuthenticatedRequest) -> HttpResponse:
    """Begins at the overview as it was an hour ago."""
    now = timezone.now()
    return redirect(add_query(reverse("overview"), query_of(max(earliest(now), now - REPLAY_FROM))))


@require_safe
@sign_in_required
def keys(request: AuthenticatedRequest) -> HttpResponse:
    render_context = RenderContext(timezone.now(), access.scope_of(request.user))
    return render(request, "boards/keys.html", {"page_state": PageState(nav(render_context)), "at": render_context.at})
