"""Incidents: read, and done to. What is done to one is done to all of its alerts."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.utils import timezone
from ninja import Query
from pydantic import Field, create_model

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.alerts import correlation, models
from tms.alerts.actions.api import SEEN
from tms.alerts.actions.schemas import Commenting, Saying, Taking, Terms
from tms.alerts.correlation.schemas import Incident, IncidentTransitionSchema, IncidentWithHistory
from tms.alerts.lifecycle import ChangedMeanwhile
from tms.alerts.models import IncidentState
from tms.alerts.models.factor import Factor
from tms.lib.pagination import Column, Keyset
from tms.lib.severity import Severity
from tms.rest.operation import Access, ApiRequest
from tms.rest.pagination import Page, PageQuery, paginate
from tms.rest.problems import ProblemError
from tms.rest.router import ApiRouter
from tms.rest.schemas import Id, Instant

router = ApiRouter("incidents")
HANDLING = Access(Permission.HANDLE_ALERTS, is_idempotent=True)
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
MOST_STEPS = 1_000


class IncidentFilter(PageQuery):
    state: list[IncidentState] = Field([], description="Any of these.")
    severity: list[Severity] = Field([], description="Any of these.")
    factor: Factor | None = None
    site: str = Field("", max_length=8, description="Its code.")
    opened_since: Instant | None = None
    opened_before: Instant | None = None

    def apply(self, rows: QuerySet[models.Incident]) -> QuerySet[models.Incident]:
        wanted: dict[str, Any] = {
            "state__in": self.state,
            "severity__in": self.severity,
            "factor": self.factor,
            "site__code": self.site,
            "opened_at__gte": self.opened_since,
            "opened_at__lt": self.opened_before,
        }
        return rows.filter(**{name: value for name, value in wanted.items() if value})


class Kind(NamedTuple):
    terms: type[Terms]
    do: Callable[..., models.Incident]
    summary: str
    suits: tuple[IncidentState, ...]


UNRESOLVED = (IncidentState.OPEN, IncidentState.ACKNOWLEDGED)
HELD = (IncidentState.ACKNOWLEDGED,)
KINDS = {
    "acknowledge": Kind(Taking, correlation.acknowledge, "Acknowledge", UNRESOLVED),
    "claim": Kind(Terms, correlation.claim, "Take a look at", (IncidentState.OPEN,)),
    "release": Kind(Terms, correlation.unclaim, "Take back that somebody looks at", (IncidentState.OPEN,)),
    "change": Kind(Taking, correlation.change_acknowledgement, "Change the acknowledgement of", HELD),
    "withdraw": Kind(Commenting, correlation.reopen, "Open again", HELD),
    "comment": Kind(Saying, correlation.comment, "Comment on", UNRESOLVED),
}


@router.get("/incidents", summary="List incidents", response=Page[Incident])
def list_incidents(request: ApiRequest, response: HttpResponse, query: Query[IncidentFilter]) -> Page[Incident]:
    """The newest first."""
    found = paginate(request, response, query.apply(_shown(request.person)), query, order=NEWEST_FIRST)
    return Page(items=[Incident.of(incident) for incident in found.rows], next=found.next)


@router.get("/incidents/{int:pk}", summary="Read an incident with its history", response=IncidentWithHistory)
def read_incident(request: ApiRequest, pk: int) -> IncidentWithHistory:
    incident = _one(request.person, pk)
    steps = incident.transitions.select_related("by").order_by("-at", "-pk")[:MOST_STEPS]
    return IncidentWithHistory(
        **dict(Incident.of(incident)), history=[IncidentTransitionSchema.of(step) for step in reversed(steps)]
    )


def offer(name: str, kind: Kind) -> None:
    terms = create_model(f"{name.title()}Incident", __base__=kind.terms, version=(Id | None, SEEN))

    def do(request: ApiRequest, pk: int, body: terms) -> Incident:  # type: ignore[valid-type]
        return _do(request, name, pk, body)

    do.__name__ = f"{name}_incident"
    path, summary = f"/incidents/{{int:pk}}/{name}", f"{kind.summary} an incident"
    router.post(path, summary=summary, response=Incident, access=HANDLING)(do)


def _do(request: ApiRequest, name: str, pk: int, body: Any) -> Incident:
    """As it was seen."""
    incident, kind, at = _one(request.person, pk), KINDS[name], timezone.now()
    seen = {"version": body.version} if name == "acknowledge" else {}
    if not seen and body.version not in {None, incident.version}:
        raise ChangedMeanwhile(incident)
    if incident.state not in kind.suits and incident.state != IncidentState.RESOLVED:
        raise ProblemError(409, "tms:unsuitable", f"not while it is {incident.state}")
    after = kind.do(incident, by=request.person, at=at, **seen, **body.of(at))
    if name == "acknowledge" and after.acknowledged_by_id != request.person.pk:
        holder = after.acknowledged_by.username if after.acknowledged_by else "somebody"
        raise ProblemError(409, "tms:already-acknowledged", f"{holder} has it already")
    return Incident.of(_one(request.person, pk))


def _shown(person: User) -> QuerySet[models.Incident]:
    return visible(models.Incident.objects.select_related("site", "group", "acknowledged_by", "claimed_by"), to=person)


def _one(person: User, pk: int) -> models.Incident:
    incident = _shown(person).filter(pk=pk).first()
    if incident is None:
        raise Http404
    return incident


for _name, _kind in KINDS.items():
    offer(_name, _kind)
