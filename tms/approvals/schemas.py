"""The REST schema of an approval request."""

from datetime import datetime
from typing import Self

from pydantic import Field

from tms.accounts.models import User
from tms.approvals.acts import Act
from tms.approvals.models import ApprovalRequest, ApprovalState
from tms.rest_base.schemas import ResponseSchema


class ApprovalSchema(ResponseSchema):
    id: int
    kind: Act = Field(description="What would be done.")
    summary: str
    reason: str
    state: ApprovalState
    requested_by: str | None
    requested_at: datetime
    expires_at: datetime
    decided_by: str | None
    decided_at: datetime | None
    comment: str = Field(description="Comment of the person who decided.")
    changed: int | None = Field(description="Number of rows that the approved action changed.")

    @classmethod
    def of(cls, request: ApprovalRequest) -> Self:
        return cls(
            id=request.pk,
            kind=Act(request.kind),
            summary=request.summary,
            reason=request.reason,
            state=ApprovalState(request.state),
            requested_by=_username(request.requested_by),
            requested_at=request.requested_at,
            expires_at=request.expires_at,
            decided_by=_username(request.decided_by),
            decided_at=request.decided_at,
            comment=request.comment,
            changed=request.changed,
        )


def _username(person: User | None) -> str | None:
    return person.username if person else None
