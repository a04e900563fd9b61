"""Maintenance windows: planned, extended, ended, cancelled."""

from itertools import islice

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query

from tms.accounts.access import visible
from tms.accounts.permissions import Permission
from tms.alerts import models
from tms.alerts.lifecycle.limits import is_in_reach
from tms.alerts.maintenance import services
from tms.alerts.maintenance.schemas import Coming, Extension, Occurrence, Plan, Window
from tms.lib.calendar.recurrence import BadRecurrence
from tms.lib.pagination import Column, Keyset
from tms.rest.operation import Called, Right
from tms.rest.pagination import Page, Paging, listed
from tms.rest.problems import Fault, Refused, unreadable
from tms.rest.router import LOOKING, Routes

routes = Routes("maintenance")
PLANNING = Right(Permission.PLAN_MAINTENANCE, is_kept=True)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
PREVIEWED = 5


class WindowFilter(Paging):
    is_over: bool | None = None


@routes.look("/maintenance", summary="List maintenance windows", answer=Page[Window])
def list_windows(request: Called, response: HttpResponse, asked: Query[WindowFilter]) -> Page[Window]:
    """Planned last, listed first."""
    rows = _windows(request)
    if asked.is_over is not None:
        rows = rows.filter(over_at__isnull=not asked.is_over)
    found = listed(request, response, rows, asked, order=NEWEST_FIRST)
    return Page(items=[Window.of(window) for window in found.rows], next=found.next)


@routes.look("/maintenance/{int:pk}", summary="Read a maintenance window", answer=Window)
def read_window(request: Called, pk: int) -> Window:
    return Window.of(_window(request, pk))


@routes.act("/maintenance", summary="Plan a maintenance window", answer=Window, status=201, right=PLANNING)
def plan_window(request: Called, response: HttpResponse, body: Plan) -> Window:
    recurrence, scope = body.recurrence(), body.scope(request.person)
    try:
        made = services.plan(recurrence, scope, note=body.note, by=request.person, at=timezone.now())
    except BadRecurrence as error:
        raise _bad(body, error) from None
    response["Location"] = f"{request.path}/{made.pk}"
    return Window.of(_window(request, made.pk))


@routes.act("/maintenance/preview", summary="Say when a maintenance window would be", answer=Coming, right=LOOKING)
def preview_window(request: Called, body: Plan) -> Coming:
    """Nothing is saved."""
    try:
        coming = list(islice(body.recurrence().occurrences(timezone.now()), PREVIEWED))
    except BadRecurrence as error:
        raise _bad(body, error) from None
    return Coming(coming=[Occurrence(**one._asdict()) for one in coming])


@routes.act("/maintenance/{int:pk}/end", summary="End the occurrence that goes on", answer=Window, right=PLANNING)
def end_window(request: Called, pk: int) -> Window:
    """The next one takes place as planned."""
    services.end(_window(request, pk), by=request.person, at=timezone.now())
    return Window.of(_window(request, pk))


@routes.act(
    "/maintenance/{int:pk}/extend", summary="Move the end of the occurrence that goes on", answer=Window, right=PLANNING
)
def extend_window(request: Called, pk: int, body: Extension) -> Window:
    at = timezone.now()
    if not is_in_reach(body.until, at=at):
        raise unreadable(Fault("$.until", "a time within the next 31 days"))
    services.extend(_window(request, pk), until=body.until, by=request.person, at=at)
    return Window.of(_window(request, pk))


@routes.act("/maintenance/{int:pk}/cancel", summary="Cancel a maintenance window", answer=Window, right=PLANNING)
def cancel_window(request: Called, pk: int) -> Window:
    """No occurrence takes place any more. To do it again changes nothing."""
    services.cancel(_window(request, pk), by=request.person, at=timezone.now())
    return Window.of(_window(request, pk))


def _windows(request: Called) -> QuerySet[models.Window]:
    rows = models.Window.objects.select_related("created_by", "changed_by")
    return visible(rows.prefetch_related("sites", "groups", "terminals"), to=request.person)


def _window(request: Called, pk: int) -> models.Window:
    window = _windows(request).filter(pk=pk).first()
    if window is None:
        raise Http404
    return window


def _bad(body: Plan, error: BadRecurrence) -> Refused:
    return unreadable(Fault("$.rrule" if body.rrule else "$.starts_at", str(error)))
