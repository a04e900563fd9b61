"""REST operations to read the history of a terminal's link: changes of presence, and outages."""

from datetime import datetime
from typing import Self

from django.db.models import Q
from django.http import HttpResponse
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.fleet.models import Outage, Presence, PresenceChange, Terminal
from tms.fleet.router import router
from tms.lib.pagination import Column, Keyset, instant
from tms.rest_base.found_rows import find
from tms.rest_base.operation import ApiRequest
from tms.rest_base.pagination import Page, paginate
from tms.rest_base.schemas import ResponseSchema
from tms.rest_base.time_ranges import TimeRangeQuery

OLDEST_FIRST = Keyset((Column("at", instant), Column("pk", int)))
BY_BEGINNING = Keyset((Column("began_at", instant), Column("pk", int)))


class PresenceChangeSchema(ResponseSchema):
    at: datetime
    before: Presence
    presence: Presence
    cause: str
    back_at: datetime | None = Field(description="Announced time of return.")

    @classmethod
    def of(cls, change: PresenceChange) -> Self:
        return cls(
            at=change.at,
            before=Presence(change.before),
            presence=Presence(change.presence),
            cause=change.cause,
            back_at=change.back_at,
        )


class PresenceChangePageSchema(Page[PresenceChangeSchema]): ...


class OutageSchema(ResponseSchema):
    """A period without a link."""

    began_at: datetime
    ended_at: datetime | None = Field(description="Null while it lasts.")
    cause: str = Field(description="Why, as far as the return shows; empty while it lasts.")
    lost_by: str = Field(description="How the link ended: a cause of presence.")
    offline_at: datetime | None = Field(description="When the terminal counted as offline, if it did.")
    has_restarted: bool | None
    reports_made: int | None = Field(description="Reports that the terminal made meanwhile; null if unknown.")
    reports_sent: int | None = Field(description="How many of them arrived later; null until they are counted.")

    @classmethod
    def of(cls, outage: Outage) -> Self:
        return cls(**{name: getattr(outage, name) for name in cls.model_fields})


class OutagePageSchema(Page[OutageSchema]): ...


@router.get(
    "/terminals/{uid}/presence-changes",
    summary="List the presence changes of a terminal",
    response=PresenceChangePageSchema,
)
def list_presence_changes(
    request: ApiRequest, response: HttpResponse, uid: str, query: Query[TimeRangeQuery]
) -> PresenceChangePageSchema:
    """Oldest first."""
    terminal = find(request, Terminal.objects.all(), uid=uid)
    rows = visible(query.within(PresenceChange.objects.filter(terminal=terminal)), to=request.person)
    found = paginate(request, response, rows, query, order=OLDEST_FIRST)
    return PresenceChangePageSchema(items=[PresenceChangeSchema.of(change) for change in found.rows], next=found.next)


@router.get("/terminals/{uid}/outages", summary="List the outages of a terminal", response=OutagePageSchema)
def list_outages(
    request: ApiRequest, response: HttpResponse, uid: str, query: Query[TimeRangeQuery]
) -> OutagePageSchema:
    """Outages that lasted at some time of the period, by their beginning."""
    terminal = find(request, Terminal.objects.all(), uid=uid)
    rows = visible(Outage.objects.filter(terminal=terminal), to=request.person)
    if query.since is not None:
        rows = rows.filter(Q(ended_at=None) | Q(ended_at__gt=query.since))
    if query.until is not None:
        rows = rows.filter(began_at__lt=query.until)
    found = paginate(request, response, rows, query, order=BY_BEGINNING)
    return OutagePageSchema(items=[OutageSchema.of(outage) for outage in found.rows], next=found.next)
