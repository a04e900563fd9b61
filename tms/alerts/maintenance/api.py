"""REST operations for maintenance windows: plan, extend, end, cancel."""

from itertools import islice

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query

from tms.accounts.access import demand, visible
from tms.accounts.permissions import Permission
from tms.alerts import models
from tms.alerts.lifecycle.limits import is_in_reach
from tms.alerts.maintenance import services
from tms.alerts.maintenance.approvals import ExtendPayload, PlanPayload
from tms.alerts.maintenance.schemas import (
    OccurrenceSchema,
    OccurrencesSchema,
    WindowBody,
    WindowExtensionBody,
    WindowPageSchema,
    WindowSchema,
)
from tms.approvals.acts import Act
from tms.approvals.api import check
from tms.approvals.gate import propose
from tms.approvals.services import alone
from tms.fleet.models import Group, Site, Terminal
from tms.lib.calendar.recurrence import BadRecurrence
from tms.lib.pagination import Column, Keyset
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.problems import ProblemError, RequestFault, unreadable
from tms.rest_base.router import READ, ApiRouter

router = ApiRouter("maintenance")
PLANNING = Access(Permission.PLAN_MAINTENANCE, is_idempotent=True)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
MAX_PREVIEWED = 5


class WindowQuery(PageQuery):
    is_past: bool | None = None


@router.get("/maintenance", summary="List maintenance windows", response=WindowPageSchema)
def list_windows(request: ApiRequest, response: HttpResponse, query: Query[WindowQuery]) -> WindowPageSchema:
    """Maintenance windows, newest first."""
    rows = _windows(request)
    if query.is_past is not None:
        rows = rows.filter(ended_at__isnull=not query.is_past)
    found = paginate(request, response, rows, query, order=NEWEST_FIRST)
    return WindowPageSchema(items=[WindowSchema.of(window) for window in found.rows], next=found.next)


@router.get("/maintenance/{int:pk}", summary="Read a maintenance window", response=WindowSchema)
def read_window(request: ApiRequest, pk: int) -> WindowSchema:
    return WindowSchema.of(_window(request, pk))


@router.post("/maintenance", summary="Plan a maintenance window", response=WindowSchema, status=201, access=PLANNING)
def plan_window(request: ApiRequest, response: HttpResponse, body: WindowBody) -> WindowSchema:
    at, recurrence, scope = timezone.now(), body.recurrence(), body.scope(request.person)
    try:
        proposal = propose(Act.PLAN, PlanPayload.of(recurrence, scope, note=body.note), by=request.person, at=at)
        check(proposal, confirm=body.confirm, reason=body.note, by=request.person, at=at)
        with alone(proposal, reason=body.note, by=request.person):
            made = services.plan(recurrence, scope, note=body.note, by=request.person, at=at)
    except BadRecurrence as error:
        raise _bad(body, error) from None
    response["Location"] = f"{request.path}/{made.pk}"
    return WindowSchema.of(_window(request, made.pk))


@router.post(
    "/maintenance/preview",
    summary="Preview the occurrences of a maintenance window",
    response=OccurrencesSchema,
    access=READ,
)
def preview_window(request: ApiRequest, body: WindowBody) -> OccurrencesSchema:
    """The next occurrences and their consequences. Saves nothing."""
    try:
        coming = list(islice(body.recurrence().occurrences(timezone.now()), MAX_PREVIEWED))
    except BadRecurrence as error:
        raise _bad(body, error) from None
    return OccurrencesSchema(coming=[OccurrenceSchema(**one._asdict()) for one in coming])


@router.post("/maintenance/{int:pk}/end", summary="End the active occurrence", response=WindowSchema, access=PLANNING)
def end_window(request: ApiRequest, pk: int) -> WindowSchema:
    """The next occurrence takes place as planned."""
    services.end(_changeable_window(request, pk), by=request.person, at=timezone.now())
    return WindowSchema.of(_window(request, pk))


@router.post(
    "/maintenance/{int:pk}/extend",
    summary="Extend the active occurrence",
    response=WindowSchema,
    access=PLANNING,
)
def extend_window(request: ApiRequest, pk: int, body: WindowExtensionBody) -> WindowSchema:
    at = timezone.now()
    if not is_in_reach(body.until, at=at):
        raise unreadable(RequestFault("$.until", "must be within the next 31 days"))
    window = _changeable_window(request, pk)
    payload = ExtendPayload(window=pk, seen_until=window.occurs_until, until=body.until)
    proposal = propose(Act.EXTEND, payload, by=request.person, at=at)
    check(proposal, confirm=body.confirm, reason=window.note, by=request.person, at=at)
    with alone(proposal, reason=window.note, by=request.person):
        services.extend(window, until=body.until, by=request.person, at=at)
    return WindowSchema.of(_window(request, pk))


@router.post(
    "/maintenance/{int:pk}/cancel", summary="Cancel a maintenance window", response=WindowSchema, access=PLANNING
)
def cancel_window(request: ApiRequest, pk: int) -> WindowSchema:
    """Cancels all further occurrences. Repeating it changes nothing."""
    services.cancel(_changeable_window(request, pk), by=request.person, at=timezone.now())
    return WindowSchema.of(_window(request, pk))


def _windows(request: ApiRequest) -> QuerySet[models.Window]:
    """The windows that the person sees, each with what it covers as far as the person may see that."""
    rows = models.Window.objects.select_related("created_by", "changed_by")
    covered = (("sites", Site.objects.all()), ("groups", Group.objects.all()), ("terminals", Terminal.objects.all()))
    seen = [Prefetch(name, visible(of_kind, to=request.person)) for name, of_kind in covered]
    return visible(rows.prefetch_related(*seen), to=request.person)


def _window(request: ApiRequest, pk: int) -> models.Window:
    window = _windows(request).filter(pk=pk).first()
    if window is None:
        raise Http404
    return window


def _changeable_window(request: ApiRequest, pk: int) -> models.Window:
    """One that the person may change."""
    window = _window(request, pk)
    demand(request.person, Permission.PLAN_MAINTENANCE, window)
    return window


def _bad(body: WindowBody, error: BadRecurrence) -> ProblemError:
    return unreadable(RequestFault("$.rrule" if body.rrule else "$.starts_at", str(error)))
