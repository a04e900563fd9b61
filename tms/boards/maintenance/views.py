"""The pages of maintenance windows."""

from datetime import datetime, timedelta
from http import HTTPStatus

from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts.access import demand, permitted, scope_of, visible
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.alerts.maintenance import services as windows
from tms.alerts.maintenance.approvals import ExtendPayload, PlanPayload
from tms.alerts.maintenance.services import NotActive
from tms.alerts.maintenance.undo import offer_cancelling, offer_restoring
from tms.alerts.models.maintenance import Window
from tms.approvals import services as approvals
from tms.approvals.acts import Act
from tms.approvals.gate import Proposal, propose
from tms.approvals.kinds import CannotPerform
from tms.boards.approvals.views import render_asked
from tms.boards.dialogs.confirmation import ConfirmationForm
from tms.boards.list_filters.filters import PRIMARY_KEY
from tms.boards.list_filters.terminal_selection import MAX_PICKED, TerminalSelection, is_prefilled
from tms.boards.maintenance.forms import ExtendForm, WindowForm, again, initial_values
from tms.boards.pages import MaintenancePage, RenderContext
from tms.boards.responses import render_dialog
from tms.boards.toasts import add_toast, toast
from tms.fleet.models import Site, Terminal
from tms.lib.db.natural_order import natural
from tms.lib.forms.checks import is_check, render_errors

MAX_PREVIEWED = 5
TEMPLATE = "boards/maintenance-new.html"


@require_safe
@never_cache
@sign_in_required
def maintenance(request: AuthenticatedRequest) -> HttpResponse:
    return _show(request)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.PLAN_MAINTENANCE)
def plan(request: AuthenticatedRequest) -> HttpResponse:
    """The form and its submission. The button `preview` only shows the next occurrences."""
    at = timezone.now()
    if request.method != "POST" or is_prefilled(request):
        return _show_new(request, at=at)
    form = WindowForm(request.POST, by=request.user)
    if is_check(request):
        return render_errors(request, form)
    if not form.is_valid() or "preview" in request.POST:
        return _show_form(
            request, form, at=at, status=HTTPStatus.OK if form.is_valid() else HTTPStatus.UNPROCESSABLE_ENTITY
        )
    if not form.preview(1, at=at):
        form.add_error("starts_at", str(windows.NO_OCCURRENCE))
        return _show_form(request, form, at=at, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    proposal = _proposal(request, form, at=at)
    confirmation = _confirmation(request.POST, proposal)
    if not confirmation.is_valid():
        return _show_form(request, form, at=at, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _perform(request, proposal, reason=form.cleaned_data["note"], at=at)


@require_POST
@needs(Permission.PLAN_MAINTENANCE)
def preview(request: AuthenticatedRequest) -> HttpResponse:
    """The next occurrences of the form, for htmx."""
    at = timezone.now()
    form = WindowForm(request.POST, by=request.user)
    return render(request, f"{TEMPLATE}#preview", _preview_context(request, form, at=at))


@require_POST
@needs(Permission.PLAN_MAINTENANCE)
def end(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    try:
        windows.end(_window(request, pk), by=request.user, at=timezone.now())
    except NotActive:
        return _show(request, is_not_active=True, status=HTTPStatus.CONFLICT)
    return redirect("maintenance")


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.PLAN_MAINTENANCE)
def extend(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """GET: what a later end means. POST: extend the active occurrence."""
    window, is_sent, at = _window(request, pk), request.method == "POST", timezone.now()
    form = ExtendForm(request.POST if is_sent else request.GET)
    if not form.is_valid():
        return _show(request, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    until = window.occurs_until + timedelta(minutes=form.cleaned_data["minutes"])
    if not is_sent or not form.was_seen(window.occurs_until):
        return _confirm_extension(request, window, form, until=until, at=at)
    proposal = _extension(request, window, until=until, at=at)
    confirmation = _confirmation(request.POST, proposal, needs_reason=proposal.needs_approval)
    if not confirmation.is_valid():
        return _confirm_extension(request, window, form, until=until, at=at, confirmation=confirmation)
    try:
        return _perform(request, proposal, reason=confirmation.cleaned_data["reason"], at=at)
    except CannotPerform:
        return _show(request, is_not_active=True, status=HTTPStatus.CONFLICT)


@require_POST
@needs(Permission.PLAN_MAINTENANCE)
def cancel(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    window, at = _window(request, pk), timezone.now()
    is_current = window.ended_at is None
    windows.cancel(window, by=request.user, at=at)
    if is_current:
        token = offer_restoring(window, by=request.user, at=at)
        add_toast(request, toast(_("Maintenance cancelled"), window.note, token))
    return redirect("maintenance")


def _perform(request: AuthenticatedRequest, proposal: Proposal, *, reason: str, at: datetime) -> HttpResponse:
    """Do it, or ask a second person. Raises CannotPerform."""
    if proposal.needs_approval:
        return render_asked(request, approvals.ask(proposal, reason=reason, by=request.user, at=at))
    with approvals.alone(proposal, reason=reason, by=request.user):
        proposal.kind.perform(proposal.payload, by=request.user, at=at)
    if proposal.kind.name == Act.PLAN:
        window = visible(Window.objects.filter(created_by=request.user), to=request.user).latest("pk")
        token = offer_cancelling(window.pk, by=request.user)
        add_toast(request, toast(_("Maintenance planned"), window.note, token))
    return redirect("maintenance")


def _proposal(request: AuthenticatedRequest, form: WindowForm, *, at: datetime) -> Proposal:
    cleaned = form.cleaned_data
    payload = PlanPayload.of(cleaned["recurrence"], form.scope, note=cleaned.get("note", ""))
    return propose(Act.PLAN, payload, by=request.user, at=at)


def _extension(request: AuthenticatedRequest, window: Window, *, until: datetime, at: datetime) -> Proposal:
    payload = ExtendPayload(window=window.pk, seen_until=window.occurs_until, until=until)
    return propose(Act.EXTEND, payload, by=request.user, at=at)


def _confirmation(data: QueryDict | None, proposal: Proposal, *, needs_reason: bool = False) -> ConfirmationForm:
    words = (proposal.word,) if proposal.must_be_typed else ()
    return ConfirmationForm(data, words=words, needs_reason=needs_reason)


def _confirm_extension(
    request: AuthenticatedRequest,
    window: Window,
    form: ExtendForm,
    *,
    until: datetime,
    at: datetime,
    confirmation: ConfirmationForm | None = None,
) -> HttpResponse:
    """`confirmation` is the one with an error; without one, the dialog is new or its window changed."""
    proposal = _extension(request, window, until=until, at=at)
    is_changed = request.method == "POST" and confirmation is None
    context = {
        "proposal": proposal,
        "confirmation": confirmation or _confirmation(None, proposal),
        "window": window,
        "minutes": form.cleaned_data["minutes"],
        "until": until,
        "impact": proposal.impact,
        "is_changed": is_changed,
        "nav_item": MaintenancePage.nav_item,
        "at": at,
    }
    status = HTTPStatus.CONFLICT if is_changed else HTTPStatus.UNPROCESSABLE_ENTITY if confirmation else HTTPStatus.OK
    return render_dialog(request, "boards/maintenance-extend.html", context, status=status)


def _show(request: AuthenticatedRequest, *, status: int = HTTPStatus.OK, **extra: object) -> HttpResponse:
    page = MaintenancePage(scope_of(request.user))
    render_context = RenderContext(timezone.now(), page.scope)
    context = {
        "page": page,
        "nav_item": page.nav_item,
        "page_state": page.page_state(render_context),
        "at": render_context.at,
        **extra,
    }
    return render(request, page.template, context, status=status)


def _show_new(request: AuthenticatedRequest, *, at: datetime) -> HttpResponse:
    """The form with what the URL names. Too many terminals are named to nobody: a group of them can be chosen."""
    given = request.POST if request.method == "POST" else request.GET
    selection = TerminalSelection.of(given)
    mine = permitted(Terminal.objects.all(), by=request.user, permission=Permission.PLAN_MAINTENANCE)
    chosen = list(selection.apply(mine).select_related("site").order_by(natural("uid"))[: MAX_PICKED + 1])
    is_too_many = len(chosen) > MAX_PICKED
    initial = _initial_values(request, terminals=[] if is_too_many else chosen, at=at)
    form = WindowForm(initial=initial, by=request.user)
    return _show_form(request, form, at=at, too_many=MAX_PICKED if is_too_many else None)


def _show_form(
    request: AuthenticatedRequest,
    form: WindowForm,
    *,
    at: datetime,
    status: int = HTTPStatus.OK,
    too_many: int | None = None,
) -> HttpResponse:
    """`too_many`: the number of terminals at most, if more were selected."""
    context = {"form": form, "nav_item": MaintenancePage.nav_item, "at": at, "too_many": too_many}
    return render(request, TEMPLATE, context | _preview_context(request, form, at=at), status=status)


def _preview_context(request: AuthenticatedRequest, form: WindowForm, *, at: datetime) -> dict[str, object]:
    """The next occurrences, and what the first of them means."""
    if not form.is_bound:
        return {"is_asked": False}
    coming = form.preview(MAX_PREVIEWED, at=at)
    previewed: dict[str, object] = {"is_asked": True, "coming": coming, "problems": form.problems}
    if coming:
        proposal = _proposal(request, form, at=at)
        is_sent = "typed" in request.POST and "preview" not in request.POST
        confirmation = _confirmation(request.POST if is_sent else None, proposal)
        previewed |= {"proposal": proposal, "impact": proposal.impact, "confirmation": confirmation}
        previewed |= proposal.kind.details(proposal.payload, proposal.impact)
    return previewed


def _initial_values(request: AuthenticatedRequest, *, terminals: list[Terminal], at: datetime) -> dict[str, object]:
    """Initial values from the URL: those of `window`, or the scope. `site` is a code and may be repeated."""
    if PRIMARY_KEY.fullmatch(number := request.GET.get("window", "")):
        return again(_window(request, int(number)), at=at)
    sites = Site.objects.filter(code__in=request.GET.getlist("site"))
    mine = permitted(sites, by=request.user, permission=Permission.PLAN_MAINTENANCE)
    return initial_values(sites=list(mine), terminals=terminals, at=at)


def _window(request: AuthenticatedRequest, pk: int) -> Window:
    window = visible(Window.objects.all(), to=request.user).filter(pk=pk).first()
    if window is None:
        raise Http404
    demand(request.user, Permission.PLAN_MAINTENANCE, window)
    return window
