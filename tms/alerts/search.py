"""Search and filters of alerts and incidents, for boards and REST."""

import re

from django.db.models import Q, QuerySet
from pydantic import Field

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts import models
from tms.alerts.models import AlertState, Factor, Rule
from tms.alerts.models.alert import FLAPPING
from tms.fleet.models import Terminal
from tms.fleet.search import terminals_like
from tms.lib.severity import Severity
from tms.rest_base.schemas import Id, Instant, RequestSchema

NAMED_BY_KEY = (Factor.MODEL, Factor.FIRMWARE, Factor.NODE, Factor.REGION)
"""Factors whose value is its own name."""
NUMBER = re.compile(r"[0-9]{1,18}")


def alerts_like(text: str) -> Q:
    """The filter by the name of the rule, the last comment, or the search fields of the terminal."""
    return alerts_named(text) | Q(comment__icontains=text)


def alerts_named(text: str) -> Q:
    """The filter by the name of the rule, or the search fields of the terminal."""
    rules = Rule.objects.filter(Q(name__icontains=text) | Q(name_ja__icontains=text))
    terminals = Terminal.objects.filter(terminals_like(text))
    return Q(rule__in=rules.values("pk")) | Q(terminal__in=terminals.values("pk"))


class AlertMatch(RequestSchema):
    """Filter for alerts. Omitted fields do not filter."""

    q: str = Field("", max_length=64, description="Searches rule, comment and the search fields of terminals.")
    state: list[AlertState] = Field([], description="Any of these.")
    severity: list[Severity] = Field([], description="Any of these.")
    site: str = Field("", max_length=8, description="Site code.")
    rule: Id | None = None
    incident: Id | None = None
    terminal: str = Field("", max_length=64, description="UID.")
    who: str = Field(
        "", max_length=150, description="Username of the person who acknowledged it, or to whom it is assigned."
    )
    is_flapping: bool | None = None
    opened_since: Instant | None = None
    opened_before: Instant | None = None

    def apply[Rows: QuerySet[models.Alert]](self, rows: Rows, *, scope: Scope) -> Rows:
        """The `rows` that match. An incident that the scope does not cover has none, as if it did not exist."""
        wanted: dict[str, object] = {
            "state__in": self.state,
            "severity__in": self.severity,
            "terminal__site__code": self.site,
            "rule": self.rule,
            "terminal__uid": self.terminal,
            "opened_at__gte": self.opened_since,
            "opened_at__lt": self.opened_before,
        }
        rows = rows.filter(**{name: value for name, value in wanted.items() if value})
        if self.incident:
            rows = rows.filter(incident__in=within(models.Incident.objects.filter(pk=self.incident), scope))
        if self.who:
            rows = rows.filter(Q(acknowledged_by__username=self.who) | Q(assigned_to__username=self.who))
        if self.is_flapping is not None:
            rows = rows.filter(FLAPPING) if self.is_flapping else rows.exclude(FLAPPING)
        return rows.filter(alerts_like(self.q)) if self.q else rows


def incidents_like(text: str) -> Q:
    """The filter by number, site, group, common factor, or a comment in the history."""
    commented = models.IncidentTransition.objects.filter(comment__icontains=text)
    return incidents_named(text) | Q(pk__in=commented.values("incident"))


def incidents_named(text: str) -> Q:
    """The filter by number, site, group or common factor."""
    sites = Q(site__name__icontains=text) | Q(site__name_ja__icontains=text) | Q(site__code__iexact=text)
    groups = Q(group__name__icontains=text) | Q(group=None, group_name__icontains=text)
    named = groups | Q(factor__in=NAMED_BY_KEY, key__icontains=text)
    named |= Q(rule__name__icontains=text) | Q(rule__name_ja__icontains=text)
    found = sites | named | Q(common_name__icontains=text)
    return found | Q(pk=int(text)) if NUMBER.fullmatch(text) else found
