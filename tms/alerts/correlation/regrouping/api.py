"""REST operations that change which alerts belong to an incident."""

from django.http import Http404
from django.utils import timezone
from pydantic import Field

from tms.accounts.access import demand, visible
from tms.accounts.permissions import Permission
from tms.alerts import models
from tms.alerts.correlation.api import one
from tms.alerts.correlation.regrouping.merge import merge
from tms.alerts.correlation.regrouping.move_out import move_out
from tms.alerts.correlation.schemas import IncidentSchema
from tms.rest_base.operation import Access, ApiRequest
from tms.rest_base.router import ApiRouter
from tms.rest_base.schemas import Id, RequestSchema

router = ApiRouter("incidents")
HANDLING = Access(Permission.HANDLE_ALERTS, is_idempotent=True)
MAX_INCIDENTS, MAX_ALERTS = 100, 1_000


class MergeBody(RequestSchema):
    incidents: list[Id] = Field(min_length=1, max_length=MAX_INCIDENTS, description="Incidents that end.")
    comment: str = Field("", max_length=500)


class MoveOutBody(RequestSchema):
    alerts: list[Id] = Field(min_length=1, max_length=MAX_ALERTS)
    comment: str = Field("", max_length=500)


@router.post("/incidents/{int:pk}/merge", summary="Merge incidents into one", response=IncidentSchema, access=HANDLING)
def merge_incidents(request: ApiRequest, pk: int, body: MergeBody) -> IncidentSchema:
    """The alerts of `incidents` belong to this one from now on. Those that are resolved stay as they are."""
    person, into = request.person, one(request.person, pk)
    demand(person, Permission.HANDLE_ALERTS, into)
    parts = list(visible(models.Incident.objects.filter(pk__in=body.incidents), to=person))
    if len(parts) < len(set(body.incidents)):
        raise Http404
    for part in parts:
        demand(person, Permission.HANDLE_ALERTS, part)
    merge(parts, into, by=person, comment=body.comment, at=timezone.now())
    return IncidentSchema.of(one(person, pk))


@router.post("/incidents/{int:pk}/move-out", summary="Move alerts out", response=IncidentSchema, access=HANDLING)
def move_alerts_out(request: ApiRequest, pk: int, body: MoveOutBody) -> IncidentSchema:
    """Unresolved alerts leave the incident, are notified on their own, and are not correlated again."""
    incident = one(request.person, pk)
    demand(request.person, Permission.HANDLE_ALERTS, incident)
    move_out(incident, body.alerts, by=request.person, comment=body.comment, at=timezone.now())
    return IncidentSchema.of(one(request.person, pk))
