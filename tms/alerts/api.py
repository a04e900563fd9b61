"""Alerts, to be read."""

from typing import Any

from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from ninja import Query
from pydantic import Field

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts import models
from tms.alerts.models.alert import FLAPPING
from tms.alerts.models import AlertQuerySet, AlertState
from tms.alerts.search import alerts_like
from tms.alerts.schemas import Alert, AlertWithHistory, Step
from tms.lib.pagination import Column, Keyset
from tms.rest.operation import Called
from tms.rest.pagination import Page, Paging, listed
from tms.rest.router import Routes
from tms.rest.schemas import Asked, Id, Instant
from tms.lib.severity import (Severity)

routes = Routes("alerts")
NEWEST_FIRST = Keyset((Column("pk", int, is_descending=True),))
MOST_STEPS = 1_000


class AlertMatch(Asked):
    """Which alerts; what is left out restricts nothing."""

    q: str = Field("", max_length=64, description="In rule, comment, and what a terminal is found by.")
    state: list[AlertState] = Field([], description="Any of these.")
    severity: list[Severity] = Field([], description="Any of these.")
    site: str = Field("", max_length=8, description="Its code.")
    rule: Id | None = None
    incident: Id | None = None
    terminal: str = Field("", max_length=64, description="Its UID.")
    who: str = Field("", max_length=150, description="A username: has it, or is asked to take it.")
    is_flapping: bool | None = None
    opened_since: Instant | None = None
    opened_before: Instant | None = None

    def apply[Rows: QuerySet[models.Alert]](self, rows: Rows) -> Rows:
        wanted: dict[str, Any] = {
            "state__in": self.state,
            "severity__in": self.severity,
            "terminal__site__code": self.site,
            "rule": self.rule,
            "incident": self.incident,
            "terminal__uid": self.terminal,
            "opened_at__gte": self.opened_since,
            "opened_at__lt": self.opened_before,
        }
        rows = rows.filter(**{name: value for name, value in wanted.items() if value})
        if self.who:
            rows = rows.filter(Q(acknowledged_by__username=self.who) | Q(assigned_to__username=self.who))
        if self.is_flapping is not None:
            rows = rows.filter(FLAPPING) if self.is_flapping else rows.exclude(FLAPPING)
        return rows.filter(alerts_like(self.q)) if self.q else rows


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
