"""Closing a site for good, and reopening it: what either means, and the confirmation."""

from http import HTTPStatus
from typing import NamedTuple, Self

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from tms.accounts import access
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.alerts.models import Alert
from tms.alerts.models.maintenance import Window
from tms.approvals import services as approvals
from tms.approvals.acts import Act
from tms.approvals.gate import propose
from tms.boards.approvals.views import render_asked
from tms.boards.pages import SitesPage
from tms.boards.responses import found_or_404
from tms.boards.toasts import add_toast, toast
from tms.commands.models import Command, CommandState
from tms.fleet.lifecycle import Lifecycle
from tms.fleet.models import DeviceState, Placement, Site
from tms.fleet.sites import services
from tms.fleet.sites.forms import CloseForm, ReopenForm
from tms.fleet.terminals.lifecycle_changes import BRING_BACK_WITHIN
from tms.fleet.terminals.retirement import ClosePayload


class ClosingCounts(NamedTuple):
    """What closing a site ends. Numbers of rows."""

    terminals: int
    devices: int
    alerts: int
    commands: int
    windows: int
    spares: int
    """Devices that are kept at the site and serve as no terminal."""

    @classmethod
    def of(cls, site: Site) -> Self:
        placed = Placement.objects.open().filter(terminal__site=site)
        waiting = Command.objects.filter(terminal__site=site, state=CommandState.QUEUED)
        return cls(
            terminals=site.terminals.exclude(lifecycle=Lifecycle.RETIRED).count(),
            devices=placed.count(),
            alerts=Alert.objects.unresolved().filter(terminal__site=site).count(),
            commands=waiting.count(),
            windows=Window.objects.current().filter(terminals__site=site).distinct().count(),
            spares=site.devices.exclude(pk__in=placed.values("device")).count(),
        )


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def close_site(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """GET: what closing the site means. POST: close it, if its code was typed, or ask a second person."""
    site, at = _find(request, code), timezone.now()
    if site.closed_at is not None:
        return redirect("site", site.code)
    form = CloseForm(request.POST if request.method == "POST" else None, site=site)
    is_confirmed = form.is_bound and form.is_valid()
    becomes, comment = (form.state, form.cleaned_data["comment"]) if is_confirmed else (DeviceState.SPARE, "")
    proposal = propose(Act.CLOSE_SITE, ClosePayload.of(site, becomes, comment), by=request.user, at=at)
    if not is_confirmed:
        context = {"form": form, "loss": ClosingCounts.of(site), "proposal": proposal, "days": BRING_BACK_WITHIN.days}
        act = {"act": gettext("Close site"), "act_kind": "danger-fill"}
        return _show(request, "boards/site-close.html", site, context | act, is_refused=form.is_bound)
    if proposal.needs_approval:
        return render_asked(request, approvals.ask(proposal, reason=comment, by=request.user, at=at))
    with approvals.alone(proposal, reason=comment, by=request.user):
        services.close_site(site, device_becomes=becomes, by=request.user, at=at, comment=comment)
    add_toast(request, toast(gettext("Site closed"), site.local_name))
    return redirect("site", site.code)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.EDIT_SITES)
def reopen_site(request: AuthenticatedRequest, code: str) -> HttpResponse:
    """GET: what comes back. POST: reopen the site with the terminals that were retired with it."""
    site, at = _find(request, code), timezone.now()
    if site.closed_at is None:
        return redirect("site", site.code)
    form = ReopenForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        services.reopen_site(site, by=request.user, at=at, comment=form.cleaned_data["comment"])
        add_toast(request, toast(gettext("Site reopened"), site.local_name))
        return redirect("site", site.code)
    returning = services.returning_terminals(site, site.closed_at, at=at).count()
    is_late = site.closed_at < at - BRING_BACK_WITHIN
    context = {"form": form, "terminals": returning, "is_late": is_late, "days": BRING_BACK_WITHIN.days}
    act = {"act": gettext("Reopen site"), "act_kind": "primary"}
    return _show(request, "boards/site-reopen.html", site, context | act, is_refused=form.is_bound)


def _find(request: AuthenticatedRequest, code: str) -> Site:
    site = found_or_404(access.visible(Site.objects.filter(code=code), to=request.user))
    access.demand(request.user, Permission.EDIT_SITES, site)
    return site


def _show(
    request: AuthenticatedRequest, template: str, site: Site, context: dict[str, object], *, is_refused: bool
) -> HttpResponse:
    status = HTTPStatus.UNPROCESSABLE_ENTITY if is_refused else HTTPStatus.OK
    return render(request, template, {"nav_item": SitesPage.nav_item, "site": site, **context}, status=status)
