"""Incidents: list and read."""

from django.http import Http404, HttpResponse
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts import models
from tms.alerts.correlation.schemas import (
    IncidentPageSchema,
    IncidentSchema,
    IncidentTransitionSchema,
    IncidentWithHistorySchema,
)
from tms.alerts.models import IncidentState
from tms.alerts.models.factor import Factor
from tms.alerts.models.incident import IncidentQuerySet
from tms.alerts.search import incidents_like
from tms.lib.pagination import Column, Keyset
from tms.lib.severity import Severity
from tms.rest_base.operation import ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Instant

router = ApiRouter("incidents")
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
MAX_TRANSITIONS = 1_000


class IncidentQuery(PageQuery):
    q: str = Field("", max_length=64, description="Searches number, site, group, common factor and comments.")
    state: list[IncidentState] = Field([], description="Any of these.")
    severity: list[Severity] = Field([], description="Any of these.")
    factor: Factor | None = None
    site: str = Field("", max_length=8, description="Site code.")
    who: str = Field("", max_length=150, description="Username of the person who acknowledged it.")
    opened_since: Instant | None = None
    opened_before: Instant | None = None

    def apply(self, rows: IncidentQuerySet) -> IncidentQuerySet:
        wanted: dict[str, object] = {
            "severity__in": self.severity,
            "site__code": self.site,
            "opened_at__gte": self.opened_since,
            "opened_at__lt": self.opened_before,
        }
        rows = rows.filter(**{name: value for name, value in wanted.items() if value})
        if self.state:
            rows = rows.in_states(self.state)
        if self.factor:
            rows = rows.filter(factor=self.factor)
        if self.who:
            rows = rows.filter(acknowledged_by__username=self.who)
        return rows.filter(incidents_like(self.q)) if self.q else rows


@router.get("/incidents", summary="List incidents", response=IncidentPageSchema)
def list_incidents(request: ApiRequest, response: HttpResponse, query: Query[IncidentQuery]) -> IncidentPageSchema:
    """Incidents, newest first."""
    found = paginate(request, response, query.apply(_visible_incidents(request.person)), query, order=NEWEST_FIRST)
    return IncidentPageSchema(items=[IncidentSchema.of(incident) for incident in found.rows], next=found.next)


@router.get("/incidents/{int:pk}", summary="Read an incident with its history", response=IncidentWithHistorySchema)
def read_incident(request: ApiRequest, pk: int) -> IncidentWithHistorySchema:
    incident = one(request.person, pk)
    newest = incident.transitions.select_related("by", "to").order_by("-at", "-pk")[:MAX_TRANSITIONS]
    history = [IncidentTransitionSchema.of(transition) for transition in reversed(newest)]
    return IncidentWithHistorySchema(**dict(IncidentSchema.of(incident)), history=history)


def _visible_incidents(person: User) -> IncidentQuerySet:
    related = ("site", "group", "rule", "acknowledged_by", "assigned_to", "claimed_by")
    return visible(models.Incident.objects.select_related(*related), to=person)


def one(person: User, pk: int) -> models.Incident:
    incident = _visible_incidents(person).filter(pk=pk).first()
    if incident is None:
        raise Http404
    return incident
