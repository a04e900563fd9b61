"""What a preview is about: an alert or incident as if it opened now, or one that is made up."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime

from tms.alerts.correlation.candidates import groups_of
from tms.alerts.models import Alert, AlertState, Incident, Rule, RuleHours, RuleSource
from tms.alerts.suppression import reasons
from tms.alerts.suppression.reasons import ALL_SOURCES, CONTEXT, Suppression, suppressions_of
from tms.fleet.models import Presence, Site, Terminal
from tms.notifications.messages import alerts as alert_texts
from tms.notifications.subjects import AlertConcern, Concern, Subject, concern_of

MAX_MEMBERS = 2_000
"""Alerts of an incident that are looked at."""


@dataclass(frozen=True)
class PreviewCase:
    subject: Subject
    """The subject in memory: open, and nobody acknowledged it."""
    concern: Concern
    alerts: Sequence[reasons.SuppressibleAlert]
    """It, or all alerts of the incident."""
    sources: Sequence[reasons.SuppressionSource]
    title: str

    def suppression(self, at: datetime) -> Suppression | None:
        """Why it must not be notified at `at`; of an incident, while all its alerts are suppressed."""
        found = suppressions_of(list(self.alerts), self.sources, at=at)
        return min(found.values(), key=lambda why: why.until) if found and len(found) == len(self.alerts) else None


def of_alert(alert: Alert, *, at: datetime) -> PreviewCase:
    """The case of an alert with its rule, terminal and site."""
    subject = copy(alert)
    subject.state, subject.opened_at = AlertState.OPEN, at
    concern = concern_of(alert.severity, [alert], groups_of([alert.terminal_id]))
    return PreviewCase(subject, concern, _as_opened([alert], at), ALL_SOURCES, alert_texts.about([alert]))


def of_incident(incident: Incident, *, at: datetime) -> PreviewCase:
    subject = copy(incident)
    subject.state, subject.opened_at = AlertState.OPEN, at
    rows = list(incident.alerts.select_related("terminal__site").order_by("-pk")[:MAX_MEMBERS])
    concern = concern_of(incident.severity, rows, groups_of([row.terminal_id for row in rows]))
    return PreviewCase(subject, concern, _as_opened(rows, at), CONTEXT, incident.title)


def made_up(severity: str, site: Site, rule: Rule | None, *, title: str, at: datetime) -> PreviewCase:
    """An alert of any terminal of the site: it concerns all groups there, and without a rule all rules."""
    terminals = list(Terminal.objects.filter(site=site).order_by("pk").values_list("pk", flat=True)[:MAX_MEMBERS])
    terminal = Terminal(pk=terminals[0] if terminals else 0, site=site)
    subject = Alert(pk=0, rule=rule, terminal=terminal, severity=severity, state=AlertState.OPEN, opened_at=at)
    groups = groups_of(terminals) if terminals else {}
    rules = [rule.pk] if rule else [0, *Rule.objects.values_list("pk", flat=True)]
    of_site = frozenset(one for of_terminal in groups.values() for one in of_terminal)
    concern = Concern(severity, tuple(AlertConcern(severity, site.region, site.pk, one, of_site) for one in rules))
    known = reasons.SuppressibleAlert(
        alert=0,
        terminal=terminal.pk,
        site=site.pk,
        hours=rule.hours if rule else RuleHours.ALWAYS,
        presence=Presence.ONLINE,
        back_at=None,
        parent=None,
        parent_presence=None,
        parent_since=None,
        opened_at=at,
        kind=rule.kind if rule else RuleSource.METRIC,
        incident_state=None,
        snoozed_until=None,
    )
    return PreviewCase(subject, concern, [known], ALL_SOURCES, title)


def _as_opened(alerts: Sequence[Alert], at: datetime) -> list[reasons.SuppressibleAlert]:
    return [
        one._replace(opened_at=at, incident_state=None, snoozed_until=None)
        for one in reasons.suppressible_alerts(alerts)
    ]
