from http import HTTPStatus

from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import reswap, retarget

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.alerts.actions.registry import ACTIONS
from tms.boards.actions.command_impact import impact_of
from tms.boards.pages import AlertPage, AlertsPage, OverviewPage, RenderContext, TerminalPage, TerminalsPage
from tms.boards.pages.base import PageState, nav
from tms.boards.pages.terminal_chart import chart
from tms.boards.responses import or_404, render_dialog, render_page
from tms.commands import services as commands
from tms.commands.catalog import CATALOG, is_dangerous
from tms.commands.forms import CommandForm
from tms.telemetry.history import series as telemetry


@require_safe
@never_cache
@sign_in_required
def overview(request: AuthenticatedRequest) -> HttpResponse:
    return render_page(request, OverviewPage.open(request.GET, person=request.user))


@require_safe
@never_cache
@sign_in_required
def terminals(request: AuthenticatedRequest) -> HttpResponse:
    return render_page(
        request, TerminalsPage.open(request.GET, person=request.user), results="boards/terminals.html#results"
    )


@require_safe
@never_cache
@sign_in_required
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
    return JsonResponse(chart(page.terminal, span, at=timezone.now()))


@require_POST
@needs(Permission.SEND_COMMANDS)
def send_command(request: AuthenticatedRequest, uid: str) -> HttpResponse:
    """A dangerous command needs confirmation: a second POST with `sure`."""
    page = or_404(TerminalPage.open(request.GET, person=request.user, uid=uid))
    danger, is_confirmed = is_dangerous(request.POST.get("name", "")), request.POST.get("sure") == "1"
    needed = Permission.SEND_DANGEROUS_COMMANDS if danger else Permission.SEND_COMMANDS
    access.demand(request.user, needed, page.terminal)
    form = CommandForm(request.POST, person=request.user, terminal=page.terminal)
    if not form.is_valid():
        return _command_panel(request, page, form, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    if danger and not is_confirmed:
        return _confirm_command(request, page, form)
    commands.queue(page.terminal, args={}, by=request.user, at=timezone.now(), **form.cleaned_data)
    if not request.htmx:
        return redirect(page.terminal)
    return _command_panel(request, page, form, partial="sent" if danger else "ask")


def _command_panel(
    request: AuthenticatedRequest,
    page: TerminalPage,
    form: CommandForm,
    *,
    partial: str = "ask",
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    return render_page(request, page, results=f"boards/commands.html#{partial}", form=form, status=status)


def _confirm_command(request: AuthenticatedRequest, page: TerminalPage, form: CommandForm) -> HttpResponse:
    """As a dialog for htmx, although the form has another target."""
    at = timezone.now()
    context = {
        "nav_item": page.nav_item,
        "terminal": page.terminal,
        "command": CATALOG[form.cleaned_data["name"]],
        "impact": impact_of(page.terminal, at=at),
        "fields": [(name, request.POST[name]) for name in form.fields],
        "at": at,
    }
    answer = render_dialog(request, "boards/command-confirm.html", context)
    return reswap(retarget(answer, "#dialog"), "innerHTML") if request.htmx else answer


@require_safe
@never_cache
@sign_in_required
def alerts(request: AuthenticatedRequest) -> HttpResponse:
    return render_page(request, AlertsPage.open(request.GET, person=request.user), results="boards/alerts.html#results")


@require_safe
@never_cache
@sign_in_required
def alert(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    page = AlertPage.open(request.GET, person=request.user, pk=str(pk))
    action = ACTIONS["acknowledge"]
    return render_page(request, page, action=action, form=action.form(at=timezone.now(), by=request.user))


@require_safe
@sign_in_required
def keys(request: AuthenticatedRequest) -> HttpResponse:
    render_context = RenderContext(timezone.now(), access.scope_of(request.user))
    return render(request, "boards/keys.html", {"page_state": PageState(nav(render_context)), "at": render_context.at})
