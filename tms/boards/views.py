from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from tms.accounts import access
from tms.accounts.doors import Asked, needs, watching
from tms.accounts.permissions import Permission
from tms.boards.answers import UNREADABLE, found, show
from tms.boards.charts import chart
from tms.boards.forms import AcknowledgeForm, CommandForm
from tms.boards.pages import AlertPage, AlertsPage, Desk, OverviewPage, TerminalPage, TerminalsPage
from tms.boards.pages.base import Scene, nav
from tms.commands import services as commands
from tms.commands.catalog import is_dangerous
from tms.telemetry import series as telemetry


@require_safe
@never_cache
@watching
def overview(request: Asked) -> HttpResponse:
    return show(request, OverviewPage.open(request.GET, person=request.user))


@require_safe
@never_cache
@watching
def terminals(request: Asked) -> HttpResponse:
    return show(request, TerminalsPage.open(request.GET, person=request.user), results="boards/terminals.html#results")


@require_safe
@never_cache
@watching
def terminal(request: Asked, uid: str) -> HttpResponse:
    return show(request, TerminalPage.open(request.GET, person=request.user, uid=uid), form=CommandForm())


@require_safe
@never_cache
@watching
def series(request: Asked, uid: str) -> HttpResponse:
    page = found(TerminalPage.open(request.GET, person=request.user, uid=uid))
    span = telemetry.SPANS.get(request.GET.get("span", ""), telemetry.SPANS[telemetry.DEFAULT_SPAN])
    return JsonResponse(chart(page.terminal, span, at=timezone.now()))


@require_POST
@needs(Permission.SEND_COMMANDS)
def send_command(request: Asked, uid: str) -> HttpResponse:
    page = found(TerminalPage.open(request.GET, person=request.user, uid=uid))
    form = CommandForm(request.POST)
    if is_dangerous(request.POST.get("name", "")):
        access.demand(request.user, Permission.SEND_DANGEROUS_COMMANDS)
    if form.is_valid():
        commands.queue(page.terminal, args={}, by=request.user, at=timezone.now(), **form.cleaned_data)
        if not request.headers.get("HX-Request"):
            return redirect(page.terminal)
    return show(
        request, page, results="boards/commands.html#ask", form=form, status=200 if form.is_valid() else UNREADABLE
    )


@require_safe
@never_cache
@watching
def alerts(request: Asked) -> HttpResponse:
    return show(request, AlertsPage.open(request.GET, person=request.user), results="boards/alerts.html#results")


@require_safe
@never_cache
@watching
def alert(request: Asked, pk: int) -> HttpResponse:
    page = AlertPage.open(request.GET, person=request.user, pk=str(pk))
    return show(request, page, form=AcknowledgeForm(at=timezone.now()))


@require_safe
@watching
def keys(request: Asked) -> HttpResponse:
    desk = Desk(timezone.now())
    return render(request, "boards/keys.html", {"scene": Scene(nav(desk)), "at": desk.at})
