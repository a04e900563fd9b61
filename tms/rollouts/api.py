"""REST operations for rollouts: create, preview, read, control, and roll back; their items by state."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query

from tms.accounts.access import visible
from tms.accounts.permissions import Permission
from tms.approvals.acts import Act
from tms.approvals.api import check
from tms.approvals.gate import propose
from tms.approvals.kinds import Payload
from tms.approvals.services import alone
from tms.lib.pagination import Column, Keyset
from tms.query.errors import QueryError
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import RequestFault, unreadable
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id
from tms.rollouts import approvals, services
from tms.rollouts.models import Rollout, RolloutItem, RolloutItemState, RolloutState
from tms.rollouts.preview import preview_of
from tms.rollouts.schemas import (
    ContinueBody,
    ReasonBody,
    RetryBody,
    RollBackBody,
    RolloutBody,
    RolloutCountSchema,
    RolloutItemPageSchema,
    RolloutItemSchema,
    RolloutPageSchema,
    RolloutPreviewSchema,
    RolloutSchema,
)
from tms.rollouts.services import RolloutRefused

router = ApiRouter("rollouts")
RUNNING = Access(Permission.RUN_ROLLOUTS, is_idempotent=True)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
IN_ORDER = Keyset((Column("pk", int),))


class RolloutQuery(PageQuery):
    state: RolloutState | None = None


class RolloutItemQuery(PageQuery):
    wave: Id | None = None
    state: RolloutItemState | None = None


@router.get("/rollouts", summary="List rollouts", response=RolloutPageSchema)
def list_rollouts(request: ApiRequest, response: HttpResponse, query: Query[RolloutQuery]) -> RolloutPageSchema:
    """Your own, and those of people who run rollouts only where you see everything. Newest first."""
    rows = _rollouts(request)
    if query.state is not None:
        rows = rows.filter(state=query.state)
    found = paginate(request, response, rows, query, order=NEWEST_FIRST)
    counts = services.counts_of([one.pk for one in found.rows], to=request.person)
    return RolloutPageSchema(items=[RolloutSchema.of(one, counts[one.pk]) for one in found.rows], next=found.next)


@router.get("/rollouts/{int:pk}", summary="Read a rollout", response=RolloutSchema)
def read_rollout(request: ApiRequest, pk: int) -> RolloutSchema:
    return _answer(request, pk)


@router.get("/rollouts/{int:pk}/items", summary="List the items of a rollout", response=RolloutItemPageSchema)
def list_rollout_items(
    request: ApiRequest, response: HttpResponse, pk: int, query: Query[RolloutItemQuery]
) -> RolloutItemPageSchema:
    """One for each terminal, as far as you see the terminals."""
    rows = visible(RolloutItem.objects.filter(rollout=_rollout(request, pk)), to=request.person)
    wanted = {"wave__number": query.wave, "state": query.state}
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    found = paginate(request, response, rows.select_related("terminal", "wave"), query, order=IN_ORDER)
    return RolloutItemPageSchema(items=[RolloutItemSchema.of(item) for item in found.rows], next=found.next)


@router.post("/rollouts", summary="Create a rollout", response=RolloutSchema, status=201, access=RUNNING)
def create_rollout(request: ApiRequest, response: HttpResponse, body: RolloutBody) -> RolloutSchema:
    """It starts within seconds, or at `starts_at`; its terminals are frozen then. One for many terminals needs a second
    person. The same rollout within ten seconds is made once.
    """
    at, person = timezone.now(), request.person
    with _refusals():
        values = body.values(person, at=at)
        _made, terminals = services.draft(values, by=person, at=at)
        payload = approvals.payload_of_new(body, terminals)
    with _agreed(request, Act.ROLLOUT, payload, body.confirm, body.comment, at), _refusals():
        made = services.create(values, by=person, at=at)
    response["Location"] = f"{request.path}/{made.pk}"
    return _answer(request, made.pk)


@router.post("/rollouts/preview", summary="Preview a rollout", response=RolloutPreviewSchema, access=RUNNING)
def preview_rollout(request: ApiRequest, body: RolloutBody) -> RolloutPreviewSchema:
    """What it would do if it started now. Nothing is stored."""
    at = timezone.now()
    with _refusals():
        return RolloutPreviewSchema.of(preview_of(body.values(request.person, at=at), to=request.person, at=at))


@router.post("/rollouts/{int:pk}/pause", summary="Pause a rollout", response=RolloutSchema, access=RUNNING)
def pause_rollout(request: ApiRequest, pk: int) -> RolloutSchema:
    """What was ordered goes on. Repeating it changes nothing."""
    services.pause(_controlled(request, pk), by=request.person, at=timezone.now())
    return _answer(request, pk)


@router.post("/rollouts/{int:pk}/resume", summary="Resume a rollout", response=RolloutSchema, access=RUNNING)
def resume_rollout(request: ApiRequest, pk: int) -> RolloutSchema:
    """Repeating it changes nothing."""
    services.resume(_controlled(request, pk), by=request.person, at=timezone.now())
    return _answer(request, pk)


@router.post("/rollouts/{int:pk}/cancel", summary="Cancel a rollout", response=RolloutSchema, access=RUNNING)
def cancel_rollout(request: ApiRequest, pk: int, body: ReasonBody) -> RolloutSchema:
    """It ends where it is: nothing more starts, what runs may finish. Repeating it changes nothing."""
    services.cancel(_controlled(request, pk), by=request.person, at=timezone.now(), comment=body.reason)
    return _answer(request, pk)


@router.post("/rollouts/{int:pk}/continue", summary="Continue a rollout", response=RolloutSchema, access=RUNNING)
def continue_rollout(request: ApiRequest, pk: int, body: ContinueBody) -> RolloutSchema:
    """Continue a rollout that TMS stopped. A second person must approve."""
    at, rollout = timezone.now(), _controlled(request, pk)
    payload = approvals.payload_to_continue(rollout, comment=body.reason, leave_out=body.leave_out)
    with _agreed(request, Act.CONTINUE, payload, body.confirm, body.reason, at):
        services.continue_stopped(rollout, by=request.person, at=at, comment=body.reason, leave_out=body.leave_out)
    return _answer(request, pk)


@router.post(
    "/rollouts/{int:pk}/retry", summary="Retry items of a rollout", response=RolloutCountSchema, access=RUNNING
)
def retry_rollout(request: ApiRequest, pk: int, body: RetryBody) -> RolloutCountSchema:
    """Items that failed, came back with the old version or did not come back: all, or those of a reason or state."""
    state = body.state.value if body.state else ""
    rollout = _controlled(request, pk)
    return RolloutCountSchema(
        number=services.retry(rollout, by=request.person, at=timezone.now(), reason=body.reason, state=state)
    )


@router.post(
    "/rollouts/{int:pk}/confirm", summary="Confirm items of a rollout", response=RolloutCountSchema, access=RUNNING
)
def confirm_rollout_items(request: ApiRequest, pk: int) -> RolloutCountSchema:
    """Terminals that reported a failure and run the new version count as updated. Repeating it changes nothing."""
    found = _controlled(request, pk)
    return RolloutCountSchema(number=services.confirm(found, by=request.person, at=timezone.now()))


@router.post(
    "/rollouts/{int:pk}/roll-back", summary="Roll a rollout back", response=RolloutSchema, status=201, access=RUNNING
)
def roll_back_rollout(request: ApiRequest, response: HttpResponse, pk: int, body: RollBackBody) -> RolloutSchema:
    """Gives its updated terminals the former version, by a rollout of its own, which it returns. The first one ends."""
    at, rollout = timezone.now(), _controlled(request, pk)
    payload = approvals.payload_of_roll_back(rollout, by=request.person, comment=body.reason)
    with _agreed(request, Act.ROLL_BACK, payload, body.confirm, body.reason, at), _refusals():
        made = services.roll_back(rollout, by=request.person, at=at, comment=body.reason)
    response["Location"] = f"{request.path.rsplit('/', 2)[0]}/{made.pk}"
    return _answer(request, made.pk)


@contextmanager
def _agreed(
    request: ApiRequest, act: Act, payload: Payload, confirm: int | None, reason: str, at: datetime
) -> Iterator[None]:
    """The transaction of an action that may need a second person. Raises ProblemError if it does."""
    proposal = propose(act, payload, by=request.person, at=at)
    check(proposal, confirm=confirm, reason=reason, by=request.person, at=at)
    with alone(proposal, reason=reason, by=request.person):
        yield


@contextmanager
def _refusals() -> Iterator[None]:
    """Raises ProblemError with the field that is wrong."""
    try:
        yield
    except RolloutRefused as error:
        raise unreadable(RequestFault(error.where, str(error))) from None
    except QueryError as error:
        raise unreadable(RequestFault("$.query", str(error))) from None


def _rollouts(request: ApiRequest) -> QuerySet[Rollout]:
    rows = Rollout.objects.of(request.person).select_related("started_by", "version")
    return rows.prefetch_related("steps", "waves")


def _rollout(request: ApiRequest, pk: int) -> Rollout:
    found = _rollouts(request).filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _controlled(request: ApiRequest, pk: int) -> Rollout:
    found = _rollout(request, pk)
    services.demand_control(request.person, found)
    return found


def _answer(request: ApiRequest, pk: int) -> RolloutSchema:
    return RolloutSchema.of(_rollout(request, pk), services.counts_of([pk], to=request.person)[pk])
