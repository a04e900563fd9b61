"""Requests for approval: the header of everyone concerned, the dialog, and the decision."""

from collections.abc import Mapping
from http import HTTPStatus

from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe
from django_htmx.http import reswap, retarget

from tms.accounts.decorators import AuthenticatedRequest, sign_in_required
from tms.accounts.display_names import name_of
from tms.accounts.permissions import Permission
from tms.approvals import services
from tms.approvals.approvers import note_reader
from tms.approvals.kinds import CannotPerform, StoredAction
from tms.approvals.models import ApprovalRequest
from tms.approvals.services import MayNotDecide, NotWaiting, RequesterMayNot
from tms.boards.approvals.forms import DecisionForm
from tms.boards.approvals.rows import ApprovalRow, row_for, waiting_for
from tms.boards.pages.alerts import AlertsPage
from tms.boards.pages.maintenance import MaintenancePage
from tms.boards.pages.sites import SitesPage
from tms.boards.pages.terminals import TerminalsPage
from tms.boards.responses import render_dialog

TEMPLATE = "boards/approvals/approval.html"
NAV_ITEMS = {
    Permission.PLAN_MAINTENANCE: MaintenancePage.nav_item,
    Permission.SEND_DANGEROUS_COMMANDS: TerminalsPage.nav_item,
    Permission.MANAGE_TERMINALS: TerminalsPage.nav_item,
    Permission.EDIT_SITES: SitesPage.nav_item,
}
"""Where the page of a request is in the navigation, by the permission of its action; the others are of alerts."""


@require_safe
@never_cache
@sign_in_required
def approvals(request: AuthenticatedRequest) -> HttpResponse:
    """The waiting requests that concern the person, for the header of their board."""
    waiting = waiting_for(request.user, at=timezone.now())
    rows = [
        {
            "request": each,
            "title": StoredAction(each).title,
            "who": name_of(each.requested_by) if each.requested_by else None,
            "is_mine": each.requested_by == request.user,
        }
        for each in waiting
    ]
    return render(request, "boards/approvals/slot.html#requests", {"rows": rows})


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sign_in_required
def approval(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The dialog, and the decision: `approve` or `reject` by another person, `withdraw` by the requester."""
    found = _request(pk)
    row = _row(request, found)
    if request.method != "POST":
        return _show(request, row)
    form = DecisionForm(request.POST)
    if not form.is_valid():
        return _show(request, row, status=HTTPStatus.UNPROCESSABLE_ENTITY, form=form)
    return _decide(request, found, form)


@require_safe
@never_cache
@sign_in_required
def approval_state(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """The state of a request, which an open dialog polls. Reading it shows the requester who is reading.

    Once the request is decided, the whole dialog is replaced.
    """
    found = _request(pk)
    row = _row(request, found)
    if request.htmx and not row.is_waiting:
        return reswap(retarget(_show(request, row), "#dialog"), "innerHTML")
    if not row.is_mine:
        note_reader(found, request.user)
    return render(request, f"{TEMPLATE}#state", {"approval": row})


def render_asked(request: AuthenticatedRequest, asked: ApprovalRequest) -> HttpResponse:
    """The response to an action that now waits for a second person."""
    if not request.htmx:
        return redirect(asked)
    return _show(request, _row(request, asked), status=HTTPStatus.ACCEPTED)


def _decide(request: AuthenticatedRequest, found: ApprovalRequest, form: DecisionForm) -> HttpResponse:
    at, comment, error = timezone.now(), form.cleaned_data["comment"], ""
    try:
        match form.cleaned_data["decision"]:
            case "approve":
                services.approve(found, by=request.user, comment=comment, at=at)
            case "reject":
                services.reject(found, by=request.user, comment=comment, at=at)
            case _:
                services.withdraw(found, by=request.user, at=at)
    except (NotWaiting, MayNotDecide, RequesterMayNot, CannotPerform) as conflict:
        error = PROBLEMS.get(type(conflict), "") or str(conflict)
    row = _row(request, _request(found.pk))
    if error:
        status = HTTPStatus.FORBIDDEN if error == "may-not-decide" else HTTPStatus.CONFLICT
        return _show(request, row, status=status, error=error, form=form)
    return _show(request, row)


PROBLEMS: Mapping[type[Exception], str] = {
    NotWaiting: "not-waiting",
    MayNotDecide: "may-not-decide",
    RequesterMayNot: "requester-may-not",
}


def _show(
    request: AuthenticatedRequest, row: ApprovalRow, *, status: int = HTTPStatus.OK, **extra: object
) -> HttpResponse:
    nav_item = NAV_ITEMS.get(row.permission, AlertsPage.nav_item)
    context = {"approval": row, "at": timezone.now(), "nav_item": nav_item, **extra}
    return render_dialog(request, TEMPLATE, context, status=status)


def _request(pk: int) -> ApprovalRequest:
    found = ApprovalRequest.objects.select_related("requested_by", "decided_by").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _row(request: AuthenticatedRequest, found: ApprovalRequest) -> ApprovalRow:
    row = row_for(found, request.user, at=timezone.now())
    if row is None:
        raise Http404
    return row
