"""What people do on the page of a rollout: approve, pause, resume, stop, try again, confirm."""

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from tms.accounts.access import permitted
from tms.accounts.decorators import AuthenticatedRequest, needs
from tms.accounts.permissions import Permission
from tms.approvals.acts import Act
from tms.approvals.gate import propose
from tms.query.errors import QueryError
from tms.rollouts import services
from tms.rollouts.approvals import (
    payload_of_draft,
    payload_of_roll_back,
    payload_to_continue,
)
from tms.rollouts.models import OPEN_ROLLOUTS, Rollout, RolloutItem, RolloutItemState, RolloutState
from tms.rollouts.pages.asking import carry_out
from tms.rollouts.pages.rollout_views import find, show
from tms.rollouts.services import MayNotApprove, RolloutOver, RolloutRefused

S = RolloutState
ROLLED_BACK_FROM = (*OPEN_ROLLOUTS, S.STOPPED, S.CANCELLED, S.EXPIRED, S.FINISHED)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def pause_rollout(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda found: services.pause(found, by=request.user, at=timezone.now()))


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def resume_rollout(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    return _act(request, pk, lambda found: services.resume(found, by=request.user, at=timezone.now()))


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def stop_rollout(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """GET: what it means. POST: end it where it is; repeating that changes nothing."""
    found = _controlled(request, pk)
    if request.method == "POST":
        comment = request.POST.get("comment", "")[:500]
        services.cancel(found, by=request.user, at=timezone.now(), comment=comment)
        return redirect(found)
    if found.state not in (*OPEN_ROLLOUTS, S.STOPPED):
        return _over(request, found)
    items = permitted(RolloutItem.objects.filter(rollout=found), by=request.user, permission=Permission.RUN_ROLLOUTS)
    states = list(items.order_by().values_list("state", flat=True))
    values = {
        "nav_item": "rollouts",
        "rollout": found,
        "waiting": sum(state in (RolloutItemState.WAITING, RolloutItemState.POSTPONED) for state in states),
        "updated": states.count(RolloutItemState.DONE),
    }
    return render(request, "rollouts/stop.html", values)


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def roll_back(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """GET: what it would do. POST: plan it, and end this rollout; repeating that leads to the same one."""
    found, at = _controlled(request, pk), timezone.now()
    if request.method != "POST":
        if found.state not in ROLLED_BACK_FROM:
            return _over(request, found)
        preview = services.roll_back_of(found, by=request.user)
        return render(
            request, "rollouts/roll-back.html", {"nav_item": "rollouts", "rollout": found, "preview": preview}
        )
    comment = request.POST.get("comment", "")[:500]
    try:
        payload = payload_of_roll_back(found, by=request.user, comment=comment)
        proposal = propose(Act.ROLL_BACK, payload, by=request.user, at=at)
        return carry_out(
            request,
            proposal,
            reason=comment,
            at=at,
            act=lambda: services.roll_back(found, by=request.user, at=at, comment=comment),
        )
    except RolloutOver:
        return _over(request, found)
    except RolloutRefused as error:
        messages.error(request, str(error))
        return show(request, found, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def continue_rollout(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Ask a second person whether a stopped rollout may go on: watched again, or without some measures."""
    found, at = _controlled(request, pk), timezone.now()
    reason = request.POST.get("reason", "").strip()[:500]
    if found.state != S.STOPPED:
        return _over(request, found)
    if not reason:
        problem = gettext("Say why the update is not the cause.")
        return show(request, found, status=HTTPStatus.UNPROCESSABLE_ENTITY, problem=problem)
    leave_out = [name for name in request.POST.getlist("leave_out") if name in found.measures]
    payload = payload_to_continue(found, comment=reason, leave_out=leave_out)

    def go_on() -> Rollout:
        services.continue_stopped(found, by=request.user, at=at, comment=reason, leave_out=leave_out)
        return found

    proposal = propose(Act.CONTINUE, payload, by=request.user, at=at)
    return carry_out(request, proposal, reason=reason, at=at, act=go_on)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def start_draft(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Plan a draft as it is; a large one is confirmed first, by a second person."""
    found, at = _controlled(request, pk), timezone.now()

    def plan() -> Rollout:
        services.plan(found, by=request.user, at=at)
        return found

    try:
        payload = payload_of_draft(found, by=request.user, at=at)
        proposal = propose(Act.ROLLOUT, payload, by=request.user, at=at)
        return carry_out(request, proposal, reason=found.comment, at=at, act=plan)
    except RolloutOver:
        return _over(request, found)
    except (QueryError, RolloutRefused) as error:
        messages.error(request, str(error))
        return show(request, found, status=HTTPStatus.UNPROCESSABLE_ENTITY)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def approve_wave(request: AuthenticatedRequest, pk: int, number: int) -> HttpResponse:
    """Approve it ahead: it still waits for the wave before."""
    found = find(request, pk)
    wave = get_object_or_404(found.waves.select_related("rollout"), number=number)
    try:
        services.approve_wave(wave, by=request.user, at=timezone.now(), comment=request.POST.get("comment", "")[:500])
    except RolloutOver:
        return _over(request, found)
    except MayNotApprove:
        messages.error(request, gettext("Somebody else must approve: you started the rollout or asked for it."))
        return show(request, found, status=HTTPStatus.CONFLICT)
    return redirect(found)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def retry_items(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Try the terminals that failed for one reason again."""
    at = timezone.now()
    state, reason, error = (request.POST.get(name, "")[:500] for name in ("state", "reason", "error"))

    def again(found: Rollout) -> None:
        number = services.retry(found, by=request.user, at=at, state=state, reason=reason, error=error)
        text = ngettext("%(n)s terminal is tried again", "%(n)s terminals are tried again", number)
        messages.success(request, text % {"n": f"{number:,}"})

    return _act(request, pk, again)


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def confirm_items(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    """Count the terminals that reported a failure and run the new version as updated."""
    return _act(request, pk, lambda found: services.confirm(found, by=request.user, at=timezone.now()))


@require_POST
@never_cache
@needs(Permission.RUN_ROLLOUTS)
def discard_draft(request: AuthenticatedRequest, pk: int) -> HttpResponse:
    found = _controlled(request, pk)
    try:
        services.discard(found, by=request.user)
    except RolloutOver:
        return _over(request, found)
    messages.success(request, gettext("Draft deleted"))
    return redirect("rollouts")


def _act(request: AuthenticatedRequest, pk: int, act: Callable[[Rollout], object]) -> HttpResponse:
    found = _controlled(request, pk)
    try:
        act(found)
    except RolloutOver:
        return _over(request, found)
    except RolloutRefused as error:
        messages.error(request, str(error))
        return show(request, found, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect(found)


def _controlled(request: AuthenticatedRequest, pk: int) -> Rollout:
    found = find(request, pk)
    services.demand_control(request.user, found)
    return found


def _over(request: AuthenticatedRequest, found: Rollout) -> HttpResponse:
    """It is in another state meanwhile."""
    found.refresh_from_db()
    messages.error(request, gettext("The rollout is in another state meanwhile; this is not possible any more."))
    return show(request, found, status=HTTPStatus.CONFLICT)
