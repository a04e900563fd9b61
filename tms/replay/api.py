"""The REST operation for the state of the fleet at a past instant."""

from django.utils import timezone
from ninja import Query
from pydantic import Field

from tms.accounts.access import scope_of
from tms.replay.schemas import ReplaySchema
from tms.replay.slots import replay_slots
from tms.replay.state import Moment, earliest
from tms.rest_base.operation import ApiRequest
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Instant, RequestSchema

router = ApiRouter("replay")
MAX_ALERTS = 200


class ReplayQuery(RequestSchema):
    at: Instant = Field(description="A past instant, not before `earliest`.")


@router.get("/replay", summary="Read the state at a past instant", response=ReplaySchema)
def read_replay(request: ApiRequest, query: Query[ReplayQuery]) -> ReplaySchema:
    """What was known then: presence, unresolved alerts and incidents with their acknowledgements."""
    now = timezone.now()
    first = earliest(now)
    if not first <= query.at <= now:
        raise unreadable(RequestFault("?at", f"must be from {first.isoformat()} until now"))
    with replay_slots().page():
        return ReplaySchema.of(Moment(query.at, scope_of(request.person), now=now), earliest=first, most=MAX_ALERTS)
