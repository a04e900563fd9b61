"""REST: the state of a request for approval, and the check before an action. People decide in the browser only."""

from datetime import datetime

from django.http import Http404

from tms.accounts.models import User
from tms.approvals import services
from tms.approvals.gate import Proposal
from tms.approvals.models import ApprovalRequest
from tms.approvals.schemas import ApprovalSchema
from tms.rest_base.operation import ApiRequest
from tms.rest_base.problems import ProblemError
from tms.rest_base.router import ApiRouter

router = ApiRouter("approvals")


@router.get("/approvals/{int:pk}", summary="Read a request for approval", response=ApprovalSchema)
def read_approval(request: ApiRequest, pk: int) -> ApprovalSchema:
    """One that the person made, or may decide. It is decided in the browser, by a person on shift."""
    found = ApprovalRequest.objects.select_related("requested_by", "decided_by").filter(pk=pk).first()
    if found is None or not (found.requested_by_id == request.person.pk or services.may_decide(found, request.person)):
        raise Http404
    return ApprovalSchema.of(found)


def check(proposal: Proposal, *, confirm: int | str | None, reason: str, by: User, at: datetime) -> None:
    """Raises ProblemError if the action needs a second person, whom this asks, or must be confirmed.

    Call it outside of a transaction, so that the request is stored.
    """
    if proposal.needs_approval:
        asked = services.ask(proposal, reason=reason, by=by, at=at)
        detail = (
            f"a second person must approve this: request {asked.pk} waits until {asked.expires_at.isoformat()}; "
            f"read its state at /api/v1/approvals/{asked.pk}"
        )
        raise ProblemError(409, "tms:approval-needed", detail, headers={"Location": f"/api/v1/approvals/{asked.pk}"})
    if proposal.must_be_typed and str(confirm) != proposal.word:
        detail = f'nobody on shift can approve this; to do it without a second person, send "confirm": {proposal.word}'
        raise ProblemError(409, "tms:confirmation-needed", detail)
