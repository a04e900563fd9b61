from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from tms.accounts.access import demand, permitted, scope_of, visible
from tms.accounts.decorators import AuthenticatedRequest, needs, sign_in_required
from tms.accounts.permissions import Permission
from tms.alerts.consequences import of_terminals
from tms.alerts.maintenance import services as windows
from tms.alerts.maintenance.services import NotActive
from tms.alerts.models.maintenance import Window
from tms.boards.maintenance.forms import ExtendForm, WindowForm, begun
from tms.boards.pages import MaintenancePage, RenderContext
from tms.boards.responses import render_dialog
from tms.fleet.models import Site, Terminal
from tms.lib.calendar.recurrence import BadRecurrence

PREVIEWED = 5
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
    if request.method != "POST":
        return _show_form(request, WindowForm(initial=_begun(request, at=at), by=request.user), at=at)
    form = WindowForm(request.POST, by=request.user)
    if not form.is_valid() or "preview" in request.POST:
        return _show_form(
            request, form, at=at, status=HTTPStatus.OK if form.is_valid() else HTTPStatus.UNPROCESSABLE_ENTITY
        )
    cleaned = form.cleaned_data
    try:
        windows.plan(cleaned["recurrence"], form.scope, note=cleaned["note"], by=request.user, at=at)
    except BadRecurrence as error:
        form.add_error("starts_at", str(error))
        return _show_form(request, form, at=at, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect("maintenance")


@require_POST
@needs(Permission.PLAN_MAINTENANCE)
def preview(request: AuthenticatedRequest) -> HttpResponse:
    """The next occurrences of the form, for htmx."""
    at = timezone.now()
    form = WindowForm(request.POST, by=request.user)
    return render(request, f"{TEMPLATE}#preview", _previewed(request, form, at=at))


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
    try:
        windows.extend(window, until=until, by=request.user, at=at)
    except NotActive:
        return _show(request, is_not_active=True, status=HTTPStatus.CONFLICT)
    return redirect("maintenance")


@require_POST
@needs(Permission.PLAN_MAINTENANCE)
def cancel(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    windows.cancel(_window(request, pk), by=request.user, at=timezone.now())
    return redirect("maintenance")


def _confirm_extension(
    request: AuthenticatedRequest, window: Window, form: ExtendForm, *, until: datetime, at: datetime
) -> HttpResponse:
    context = {
        "window": window,
        "minutes": form.cleaned_data["minutes"],
        "until": until,
        "impact": of_terminals(Terminal.objects.filter(windows.in_scope([window])), to=request.user, at=at),
        "is_changed": request.method == "POST",
        "nav_item": MaintenancePage.nav_item,
        "at": at,
    }
    status = HTTPStatus.CONFLICT if request.method == "POST" else HTTPStatus.OK
    return render_dialog(request, "boards/maintenance-extend.html", context, status=status)


def _show(request: AuthenticatedRequest, *, status: int = HTTPStatus.OK, **extra: Any) -> HttpResponse:
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


def _show_form(
    request: AuthenticatedRequest, form: WindowForm, *, at: datetime, status: int = HTTPStatus.OK
) -> HttpResponse:
    context = {"form": form, "nav_item": MaintenancePage.nav_item, "at": at}
    return render(request, TEMPLATE, context | _previewed(request, form, at=at), status=status)


def _previewed(request: AuthenticatedRequest, form: WindowForm, *, at: datetime) -> dict[str, Any]:
    """The next occurrences, and what the first of them means."""
    if not form.is_bound:
        return {"is_asked": False}
    coming = form.preview(PREVIEWED, at=at)
    previewed: dict[str, Any] = {"is_asked": True, "coming": coming, "problems": form.problems}
    if coming:
        begins_at = max(at, coming[0].since)
        previewed["impact"] = of_terminals(form.scope.covered, to=request.user, at=begins_at)
        previewed |= {"until": coming[0].until, "is_later": begins_at > at}
    return previewed


def _begun(request: AuthenticatedRequest, *, at: datetime) -> dict[str, Any]:
    """Initial scope from the URL: `site` is a code, `terminal` a UID; both may be repeated."""
    mine = partial(permitted, by=request.user, permission=Permission.PLAN_MAINTENANCE)
    sites = mine(Site.objects.filter(code__in=request.GET.getlist("site")))
    terminals = mine(Terminal.objects.filter(uid__in=request.GET.getlist("terminal")))
    return begun(sites=list(sites), terminals=list(terminals.select_related("site")), at=at)


def _window(request: AuthenticatedRequest, pk: int) -> Window:
    window = visible(Window.objects.all(), to=request.user).filter(pk=pk).first()
    if window is None:
        raise Http404
    demand(request.user, Permission.PLAN_MAINTENANCE, window)
    return window
