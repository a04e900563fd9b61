"""Whether an action may run at once, needs a second person, or must be confirmed by typing."""

from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

import msgspec
from django.conf import settings

from tms.accounts.access import Forbidden, may
from tms.accounts.models import User
from tms.approvals.acts import Act
from tms.approvals.approvers import approvers
from tms.approvals.kinds import ApprovalKind, kind_named
from tms.approvals.models import ApprovalRequest

ALONE_WITHIN = timedelta(minutes=15)
"""How long after an unanswered request the same action may be done alone."""
MAX_UNANSWERED = 20


class Way(Enum):
    """How an action may be done."""

    AT_ONCE = "at once"
    APPROVAL = "approval"
    """A colleague on shift must approve it."""
    TYPED = "typed"
    """Nobody on shift could approve it, or nobody answered: typed confirmation, recorded in the audit trail."""


class Proposal(NamedTuple):
    """An action that a person wants to do, with its consequences now."""

    kind: ApprovalKind[Any, Any]
    payload: Any
    impact: Any
    way: Way
    approvers: int
    """How many people on shift could approve it."""

    @property
    def needs_approval(self) -> bool:
        return self.way is Way.APPROVAL

    @property
    def must_be_typed(self) -> bool:
        return self.way is Way.TYPED

    @property
    def word(self) -> str:
        return self.kind.word(self.payload, self.impact)

    @property
    def title(self) -> str:
        return self.kind.title(self.payload, self.impact)


def propose(name: Act, payload: Any, *, by: User, at: datetime) -> Proposal:
    """Raises Forbidden if the person lacks the permission for a part of it."""
    kind = kind_named(name)
    if not kind.is_permitted(payload, by):
        raise Forbidden(kind.permission, is_elsewhere=may(by, kind.permission))
    impact = kind.impact_of(payload, by=by, at=at)
    if not kind.is_large(payload, impact):
        return Proposal(kind, payload, impact, Way.AT_ONCE, 0)
    number = sum(1 for _ in approvers(kind, payload, besides=by))
    is_alone = not number or _was_unanswered(kind, payload, by=by, at=at)
    return Proposal(kind, payload, impact, Way.TYPED if is_alone else Way.APPROVAL, number)


def _was_unanswered(kind: ApprovalKind[Any, Any], payload: Any, *, by: User, at: datetime) -> bool:
    """Whether nobody answered when the person asked for it, or for more, a short time ago."""
    expired = ApprovalRequest.objects.unanswered(at - ALONE_WITHIN).filter(requested_by=by, kind=kind.name)
    return any(
        kind.is_within(payload, msgspec.convert(larger.payload, kind.payload), later=at - larger.requested_at)
        for larger in expired.order_by("-pk")[:MAX_UNANSWERED]
    )


def lifetime() -> timedelta:
    return timedelta(seconds=settings.APPROVAL_EXPIRES_S)
