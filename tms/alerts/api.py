"""REST operations to list and read alerts."""

from collections.abc import Sequence

from django.http import Http404, HttpResponse
from ninja import Query

from tms.accounts.access import scope_of, visible
from tms.accounts.models import User
from tms.alerts import models
from tms.alerts.models import AlertQuerySet
from tms.alerts.schemas import AlertPageSchema, AlertSchema, AlertWithHistorySchema, TransitionSchema
from tms.alerts.search import AlertMatch
from tms.lib.pagination import Column, Keyset
from tms.rest_base.operation import ApiRequest
from tms.rest_base.pagination import PageQuery, paginate
from tms.rest_base.router import ApiRouter

router = ApiRouter("alerts")
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
MAX_TRANSITIONS = 1_000


class AlertQuery(PageQuery, AlertMatch):
    """A page of the alerts that match."""


@router.get("/alerts", summary="List alerts", response=AlertPageSchema)
def list_alerts(request: ApiRequest, response: HttpResponse, query: Query[AlertQuery]) -> AlertPageSchema:
    """Alerts, newest first."""
    found = paginate(
        request, response, query.apply(shown(request.person), scope=scope_of(request.person)), query, order=NEWEST_FIRST
    )
    return AlertPageSchema(items=as_seen(found.rows, by=request.person), next=found.next)


@router.get("/alerts/{int:pk}", summary="Read an alert with its history", response=AlertWithHistorySchema)
def read_alert(request: ApiRequest, pk: int) -> AlertWithHistorySchema:
    alert = one(request.person, pk)
    transitions = alert.transitions.select_related("by", "to").order_by("-at", "-pk")[:MAX_TRANSITIONS]
    (seen,) = as_seen([alert], by=request.person)
    return AlertWithHistorySchema(**dict(seen), history=[TransitionSchema.of(one) for one in reversed(transitions)])


def as_seen(alerts: Sequence[models.Alert], *, by: User) -> list[AlertSchema]:
    """The alerts without incidents that the person does not see."""
    pks = {alert.incident_id for alert in alerts if alert.incident_id}
    if not pks or scope_of(by).is_everything:
        return [AlertSchema.of(alert) for alert in alerts]
    seen = set(visible(models.Incident.objects.filter(pk__in=pks), to=by).values_list("pk", flat=True))
    return [AlertSchema.of(alert, incidents=seen) for alert in alerts]


def shown(person: User) -> AlertQuerySet:
    people = ("acknowledged_by", "assigned_to", "claimed_by")
    rows = models.Alert.objects.select_related("rule", "terminal__site", "flapping", *people)
    return visible(rows, to=person)


def one(person: User, pk: int) -> models.Alert:
    alert = shown(person).filter(pk=pk).first()
    if alert is None:
        raise Http404
    return alert
