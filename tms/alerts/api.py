"""Alerts, to be read."""

from django.http import Http404, HttpResponse
from ninja import Query

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts import models
from tms.alerts.models import AlertQuerySet
from tms.alerts.schemas import Alert, AlertWithHistory, Step
from tms.alerts.search import AlertMatch
from tms.lib.pagination import Column, Keyset
from tms.rest.operation import Called
from tms.rest.pagination import Page, Paging, listed
from tms.rest.router import Routes

routes = Routes("alerts")
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
MOST_STEPS = 1_000


class AlertFilter(Paging, AlertMatch):
    """A page of the alerts that match."""


@routes.look("/alerts", summary="List alerts", answer=Page[Alert])
def list_alerts(request: Called, response: HttpResponse, asked: Query[AlertFilter]) -> Page[Alert]:
    """The newest first."""
    found = listed(request, response, asked.apply(shown(request.person)), asked, order=NEWEST_FIRST)
    return Page(items=[Alert.of(alert) for alert in found.rows], next=found.next)


@routes.look("/alerts/{int:pk}", summary="Read an alert with its history", answer=AlertWithHistory)
def read_alert(request: Called, pk: int) -> AlertWithHistory:
    alert = one(request.person, pk)
    steps = alert.transitions.select_related("by", "to").order_by("-at", "-pk")[:MOST_STEPS]
    return AlertWithHistory(**dict(Alert.of(alert)), history=[Step.of(step) for step in reversed(steps)])


def shown(person: User) -> AlertQuerySet:
    people = ("acknowledged_by", "assigned_to", "claimed_by")
    rows = models.Alert.objects.select_related("rule", "terminal__site", "flapping", *people)
    return visible(rows, to=person)


def one(person: User, pk: int) -> models.Alert:
    alert = shown(person).filter(pk=pk).first()
    if alert is None:
        raise Http404
    return alert
