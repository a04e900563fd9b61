"""Subjects of notifications: alerts, and incidents in place of all of their alerts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import models

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.correlation.candidates import groups_of
from tms.alerts.correlation.unresolved import members, suppressed_incidents, with_open_alerts
from tms.alerts.models import Alert, AlertState, Incident, IncidentTransition, Transition
from tms.alerts.suppression.reasons import Suppression, suppressions
from tms.lib.severity import Severity, worst

type Subject = Alert | Incident

RELATED = ("alert__rule", "alert__terminal__site", "alert__acknowledged_by", "alert__flapping")
RELATED_OF_INCIDENT = ("incident__site", "incident__group", "incident__rule", "incident__acknowledged_by")


class SubjectEvent(NamedTuple):
    """A transition of an alert or an incident."""

    pk: int
    kind: str
    at: datetime
    subject: Subject
    by_id: int | None = None
    to_id: int | None = None
    """The assignee, or the person reminded."""


class SubjectType(NamedTuple):
    """Alert or incident: the column that refers to it, and the model of its history."""

    column: str
    history: type[Transition] | type[IncidentTransition]
    related: tuple[str, ...]

    def event(self, row: models.Model) -> SubjectEvent:
        """The event that a row of its history records."""
        subject, to_id = getattr(row, self.column), getattr(row, "to_id", None)
        return SubjectEvent(row.pk, row.kind, row.at, subject, row.by_id, to_id)  # type: ignore[attr-defined]


ALERT = SubjectType("alert", Transition, RELATED)
INCIDENT = SubjectType("incident", IncidentTransition, RELATED_OF_INCIDENT)
SUBJECT_TYPES = (ALERT, INCIDENT)


class AboutOne:
    """A row about an alert or about an incident."""

    alert: Alert | None
    incident: Incident | None

    @property
    def subject(self) -> Subject:
        found: Subject | None = self.alert or self.incident
        if found is None:
            raise LookupError(f"{self!r} is about nothing")
        return found


def about_one(name: str) -> models.CheckConstraint:
    return models.CheckConstraint(name=name, condition=models.Q(alert__isnull=True) ^ models.Q(incident__isnull=True))


def subject_type_of(subject: Subject) -> SubjectType:
    return ALERT if isinstance(subject, Alert) else INCIDENT


def column(subject: Subject) -> dict[str, Subject]:
    """The column of a row about it, by name."""
    return {subject_type_of(subject).column: subject}


def site_code_of(subject: Subject) -> str:
    """Code of its site; empty if it has several sites."""
    site = subject.terminal.site if isinstance(subject, Alert) else subject.site
    return "" if site is None else site.code


class AlertConcern(NamedTuple):
    """One alert, as far as policies select by it."""

    severity: str
    region: str
    site: int
    rule: int
    groups: frozenset[int]

    def is_within(self, owner: Scope) -> bool:
        return self.region in owner.regions or self.site in owner.sites or bool(self.groups & owner.groups)


class Concern(NamedTuple):
    """What policies select by. That of an incident has all of its unresolved alerts."""

    severity: str
    alerts: tuple[AlertConcern, ...]

    def within(self, owner: Scope) -> Concern:
        """The part in the owner's scope, with its own severity; without alerts if there is none."""
        if owner.is_everything:
            return self
        part = tuple(alert for alert in self.alerts if alert.is_within(owner))
        return Concern(worst(alert.severity for alert in part) or Severity.INFO.value, part)

    def touches(self, owner: Scope) -> bool:
        """Whether one of its alerts lies within the owner's scope."""
        return owner.is_everything or any(alert.is_within(owner) for alert in self.alerts)

    def lies_within(self, scope: Scope) -> bool:
        """Whether all of its alerts lie within the scope."""
        return scope.is_everything or (bool(self.alerts) and all(alert.is_within(scope) for alert in self.alerts))

    @property
    def sites(self) -> set[int]:
        return {alert.site for alert in self.alerts}

    @property
    def rules(self) -> set[int]:
        return {alert.rule for alert in self.alerts}

    @property
    def groups(self) -> frozenset[int]:
        return frozenset().union(*(alert.groups for alert in self.alerts))


def severity_within(subject: Subject, owner: Scope) -> str:
    """The severity that people with this scope may know: of an incident, that of its alerts there."""
    if isinstance(subject, Alert) or owner.is_everything:
        return subject.severity
    rows = within(Alert.objects.filter(incident=subject), owner).values_list("state", "severity")
    unresolved = [severity for state, severity in rows if state != AlertState.RESOLVED]
    return worst(unresolved or [severity for _state, severity in rows])


def concerns(subjects: Iterable[Subject]) -> dict[Subject, Concern]:
    """Two queries at most, and none for groups without terminals."""
    alerts = [subject for subject in subjects if isinstance(subject, Alert)]
    incidents = {subject.pk: subject for subject in subjects if isinstance(subject, Incident)}
    of_incident = members(incidents)
    terminals = {alert.terminal_id for alert in alerts} | {
        row.terminal_id for rows in of_incident.values() for row in rows
    }
    groups = groups_of(terminals) if terminals else {}
    found: dict[Subject, Concern] = {alert: concern_of(alert.severity, [alert], groups) for alert in alerts}
    for pk, incident in incidents.items():
        found[incident] = concern_of(incident.severity, of_incident.get(pk, []), groups)
    return found


def suppressed_subjects(subjects: Collection[Subject], *, at: datetime) -> dict[Subject, Suppression]:
    """The suppressed ones. An incident is suppressed while every open alert of it is."""
    alerts = {subject.pk: subject for subject in subjects if isinstance(subject, Alert)}
    incidents = {subject.pk: subject for subject in subjects if isinstance(subject, Incident)}
    found: dict[Subject, Suppression] = {}
    if alerts:
        found |= {alerts[pk]: why for pk, why in suppressions(alerts.values(), at=at).items()}
    for pk, why in suppressed_incidents(members(incidents), at=at).items():
        found[incidents[pk]] = why
    return found


def unacknowledged_subjects(subjects: Collection[Subject]) -> set[Subject]:
    """The unacknowledged ones. Of an incident, at least one alert must be unacknowledged too."""
    incidents = {subject.pk: subject for subject in subjects if isinstance(subject, Incident)}
    open_alerts = with_open_alerts(members(incidents))
    return {
        subject
        for subject in subjects
        if subject.state == AlertState.OPEN and (isinstance(subject, Alert) or subject.pk in open_alerts)
    }


def concern_of(severity: str, alerts: Iterable[Alert], groups: Mapping[int, Collection[int]]) -> Concern:
    """`groups`: by terminal."""
    parts = (
        AlertConcern(
            alert.severity,
            alert.terminal.site.region,
            alert.terminal.site_id,
            alert.rule_id,
            frozenset(groups.get(alert.terminal_id, ())),
        )
        for alert in alerts
    )
    return Concern(severity, tuple(parts))
