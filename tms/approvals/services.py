"""The life of an approval request: waiting → approved, rejected, withdrawn or expired, by conditional updates."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import msgspec
from django.db import transaction
from django.utils.translation import gettext

from tms.accounts.audit import recorder
from tms.accounts.models import User
from tms.approvals.approvers import is_second, on_shift
from tms.approvals.clearance import NotAgreed, cleared
from tms.approvals.gate import Proposal, lifetime
from tms.approvals.kinds import CannotPerform, StoredAction
from tms.approvals.models import ApprovalRequest, ApprovalState
from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.lib.db.jobs import skip_when_empty


class NotWaiting(Exception):
    """Someone else decided it first, it was withdrawn, or it expired."""


class MayNotDecide(Exception):
    """The person made the request, lacks the permission for all of it, or has no board open."""


class RequesterMayNot(Exception):
    """The requester lost the permission, or may not sign in any more."""


@transaction.atomic
def ask(proposal: Proposal, *, reason: str, by: User, at: datetime) -> ApprovalRequest:
    """Request the approval of an action. A repeated request for the same returns the one that waits."""
    same = ApprovalRequest.objects.waiting(at).filter(requested_by=by, kind=proposal.kind.name)
    for waiting in same.select_for_update():
        if msgspec.convert(waiting.payload, proposal.kind.payload) == proposal.payload:
            return waiting
    request = ApprovalRequest.objects.create(
        kind=proposal.kind.name,
        payload=msgspec.to_builtins(proposal.payload),
        impact=msgspec.to_builtins(proposal.impact),
        summary=proposal.title[:200],
        reason=reason,
        requested_by=by,
        requested_at=at,
        expires_at=at + lifetime(),
        shown_to=proposal.approvers,
    )
    recorder.record("requested", request, comment=reason)
    publish(Change(approvals=True))
    return request


@transaction.atomic
def approve(request: ApprovalRequest, *, by: User, comment: str, at: datetime) -> ApprovalRequest:
    """Approve it, and do it as its requester in this transaction, as far as it is possible now.

    Raises NotWaiting, MayNotDecide, RequesterMayNot and CannotPerform; the request then stays as it is.
    """
    action = _decidable(request, by=by, at=at)
    _decide(request, ApprovalState.APPROVED, by=by, comment=comment, at=at)
    requester = request.requested_by
    if requester is None or not requester.is_active or not action.kind.is_permitted(action.payload, requester):
        raise RequesterMayNot
    with recorder.on_behalf_of(requester, approved_by=by), cleared(action.kind, action.payload):
        request.changed = _perform(action, by=requester, at=at)
        recorder.record("approved", request, {"changed": (None, request.changed)}, comment=comment)
    request.save(update_fields=["changed"])
    return request


@transaction.atomic
def reject(request: ApprovalRequest, *, by: User, comment: str, at: datetime) -> None:
    """Raises NotWaiting and MayNotDecide."""
    _decidable(request, by=by, at=at)
    _decide(request, ApprovalState.REJECTED, by=by, comment=comment, at=at)
    recorder.record("rejected", request, comment=comment)


@transaction.atomic
def withdraw(request: ApprovalRequest, *, by: User, at: datetime) -> None:
    """Take a request back; only its requester may. Raises NotWaiting and MayNotDecide."""
    if request.requested_by_id != by.pk:
        raise MayNotDecide
    _decide(request, ApprovalState.WITHDRAWN, by=by, comment="", at=at)
    recorder.record("withdrawn", request)


def may_decide(request: ApprovalRequest, person: User) -> bool:
    """Whether the person may approve or reject it: a second one, with the permission for all of it."""
    action = StoredAction(request)
    return is_second(person, request.requested_by) and action.kind.is_permitted(action.payload, person)


@skip_when_empty(ApprovalRequest.objects.overdue)
def expire(at: datetime) -> int:
    """Requests whose time is up expire."""
    with transaction.atomic():
        overdue = ApprovalRequest.objects.overdue(at)
        expired = [request for request in overdue if overdue.filter(pk=request.pk).update(state=ApprovalState.EXPIRED)]
        for request in expired:
            recorder.record("expired", request)
        if expired:
            publish(Change(approvals=True))
    return len(expired)


@contextmanager
def alone(proposal: Proposal, *, reason: str, by: User) -> Iterator[None]:
    """The transaction of an action without a second person. The audit trail says so where one was required.

    Raises NotAgreed if one must approve it: what is proposed was not shown to the requester, or grew.
    """
    if proposal.needs_approval:
        raise NotAgreed
    with transaction.atomic():
        if not proposal.must_be_typed:
            yield
        else:
            with cleared(proposal.kind, proposal.payload):
                yield
            why = "nobody answered" if proposal.approvers else "nobody on shift could approve it"
            changes = {"action": (None, proposal.title), "why": (None, why)}
            recorder.record("acted-alone", by, changes, comment=reason)


def _decidable(request: ApprovalRequest, *, by: User, at: datetime) -> StoredAction:
    if not ApprovalRequest.objects.waiting(at).filter(pk=request.pk).exists():
        raise NotWaiting
    if not may_decide(request, by) or not on_shift().filter(pk=by.pk).exists():
        raise MayNotDecide
    return StoredAction(request)


def _perform(action: StoredAction, *, by: User, at: datetime) -> int:
    try:
        return action.kind.perform(action.payload, by=by, at=at)
    except NotAgreed:
        text = gettext("It would do more now than was asked for. Reject the request.")
        raise CannotPerform(text) from None


def _decide(request: ApprovalRequest, state: ApprovalState, *, by: User, comment: str, at: datetime) -> None:
    """Only one decision wins: the row is updated only while it waits."""
    waiting = ApprovalRequest.objects.waiting(at).filter(pk=request.pk)
    if not waiting.update(state=state, decided_by=by, decided_at=at, comment=comment):
        raise NotWaiting
    request.refresh_from_db()
    publish(Change(approvals=True))
