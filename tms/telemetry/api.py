"""REST operations to read what a terminal reported: its readings and events."""

from datetime import datetime
from typing import Any, Self

from django.http import HttpResponse
from ninja import Query
from pydantic import Field

from tms.fleet.models import Terminal
from tms.lib.pagination import Column, Keyset, instant
from tms.lib.severity import Severity
from tms.rest_base.found_rows import find
from tms.rest_base.operation import ApiRequest
from tms.rest_base.pagination import Page, paginate
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import ResponseSchema
from tms.rest_base.time_ranges import TimeRangeQuery
from tms.telemetry.models import Event, Report

router = ApiRouter("telemetry")
REPORTS = Keyset((Column("at", instant), Column("boot_id", int), Column("seq", int)))
EVENTS = Keyset((Column("at", instant), Column("pk", int)))


class ReadingsSchema(ResponseSchema):
    """One report of a terminal."""

    at: datetime = Field(description="When the terminal made it; when TMS received it, if `undated`.")
    received_at: datetime
    late: bool = Field(description="It was sent after an outage.")
    undated: bool
    status: str = Field(description="`ok`, `degraded` or `fault`; empty if it reported none.")
    metrics: dict[str, Any] = Field(description="The reading of each metric.")

    @classmethod
    def of(cls, report: Report) -> Self:
        return cls(**{name: getattr(report, name) for name in cls.model_fields})


class ReadingsPageSchema(Page[ReadingsSchema]): ...


class EventSchema(ResponseSchema):
    at: datetime
    code: str = Field(examples=["paper_out"])
    severity: Severity
    text: str
    late: bool
    undated: bool

    @classmethod
    def of(cls, event: Event) -> Self:
        return cls(**{name: getattr(event, name) for name in cls.model_fields})


class EventPageSchema(Page[EventSchema]): ...


@router.get("/terminals/{uid}/readings", summary="List the readings of a terminal", response=ReadingsPageSchema)
def list_readings(
    request: ApiRequest, response: HttpResponse, uid: str, query: Query[TimeRangeQuery]
) -> ReadingsPageSchema:
    """Its reports, oldest first, as long as TMS stores them. With `since`, fewer days have to be searched."""
    terminal = find(request, Terminal.objects.all(), uid=uid)
    rows = query.within(Report.objects.filter(terminal=terminal))
    found = paginate(request, response, rows, query, order=REPORTS)
    return ReadingsPageSchema(items=[ReadingsSchema.of(report) for report in found.rows], next=found.next)


@router.get("/terminals/{uid}/events", summary="List the events of a terminal", response=EventPageSchema)
def list_events(request: ApiRequest, response: HttpResponse, uid: str, query: Query[TimeRangeQuery]) -> EventPageSchema:
    """Oldest first."""
    terminal = find(request, Terminal.objects.all(), uid=uid)
    rows = query.within(Event.objects.filter(terminal=terminal))
    found = paginate(request, response, rows, query, order=EVENTS)
    return EventPageSchema(items=[EventSchema.of(event) for event in found.rows], next=found.next)
