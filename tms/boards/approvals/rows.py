"""A request for approval, as its dialog and the header show it to one person."""

from dataclasses import dataclass
from datetime import datetime

from tms.accounts.access import may_watch
from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts.consequences import Consequences
from tms.approvals import services
from tms.approvals.approvers import reader_of
from tms.approvals.kinds import StoredAction
from tms.approvals.models import ApprovalRequest, ApprovalState

MAX_SHOWN = 20
"""Requests in the header."""


@dataclass(frozen=True, slots=True)
class ApprovalRow:
    pk: int
    permission: Permission
    title: str
    reason: str
    requester: Name | None
    is_mine: bool
    may_decide: bool
    state: str
    requested_at: datetime
    expires_at: datetime
    shown_to: int
    decided_by: Name | None
    decided_at: datetime | None
    comment: str
    changed: int | None
    reader: Name | None
    impact: Consequences
    shown: dict[str, object]

    @property
    def is_waiting(self) -> bool:
        return self.state == ApprovalState.WAITING


def row_for(request: ApprovalRequest, person: User, *, at: datetime) -> ApprovalRow | None:
    """The row; None unless the person made the request or may decide it. While it waits, its impact is the present
    one.
    """
    is_mine = request.requested_by_id == person.pk
    may_decide = not is_mine and services.may_decide(request, person)
    if not may_watch(person) or not (is_mine or may_decide or request.decided_by_id == person.pk):
        return None
    action, state = StoredAction(request), state_of(request, at)
    is_waiting = state == ApprovalState.WAITING
    impact = action.kind.impact_of(action.payload, by=person, at=at) if is_waiting else action.impact
    return ApprovalRow(
        pk=request.pk,
        permission=action.kind.permission,
        title=action.kind.title(action.payload, impact),
        reason=request.reason,
        requester=_name(request.requested_by),
        is_mine=is_mine,
        may_decide=may_decide,
        state=state,
        requested_at=request.requested_at,
        expires_at=request.expires_at,
        shown_to=request.shown_to,
        decided_by=_name(request.decided_by),
        decided_at=request.decided_at,
        comment=request.comment,
        changed=request.changed,
        reader=_name(reader_of(request)) if is_mine and is_waiting else None,
        impact=impact,
        shown=dict(action.kind.details(action.payload, impact)),
    )


def waiting_for(person: User, *, at: datetime) -> list[ApprovalRequest]:
    """Waiting requests that the person made or may decide, oldest first."""
    waiting = ApprovalRequest.objects.waiting(at).select_related("requested_by").order_by("pk")
    concern = (each for each in waiting if each.requested_by_id == person.pk or services.may_decide(each, person))
    return [each for each, _ in zip(concern, range(MAX_SHOWN), strict=False)]


def state_of(request: ApprovalRequest, at: datetime) -> str:
    """Its state, even before the clock lets it expire."""
    is_over = request.state == ApprovalState.WAITING and request.expires_at <= at
    return ApprovalState.EXPIRED if is_over else request.state


def _name(person: User | None) -> Name | None:
    return name_of(person) if person else None
