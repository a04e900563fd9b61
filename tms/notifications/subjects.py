"""Subjects of notifications: alerts, and incidents in place of all of their alerts."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db import models

from tms.accounts.scope import Scope
from tms.alerts.correlation.candidates import groups_of
from tms.alerts.correlation.unresolved import members, suppressed_incidents, with_open_alerts
from tms.alerts.models import Alert, AlertState, Incident, IncidentTransition, Transition
from tms.alerts.suppression.reasons import Suppression, suppressions

type Subject = Alert | Incident

RELATED = ("alert__rule", "alert__terminal__site", "alert__acknowledged_by", "alert__flapping")
RELATED_OF_INCIDENT = ("incident__site", "incident__group", "incident__acknowledged_by")


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
        """Of a row of its history."""
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


class Concern(NamedTuple):
    """What policies select by: severity, and primary keys; of an incident, those of all of its alerts."""

    severity: str
    regions: Collection[str]
    sites: Collection[int]
    rules: Collection[int]
    groups: Collection[int]

    def touches(self, owner: Scope) -> bool:
        """Whether one of its alerts lies within the owner's scope."""
        within = (
            owner.regions.intersection(self.regions),
            owner.sites.intersection(self.sites),
            owner.groups.intersection(self.groups),
        )
        return owner.is_everything or any(within)


def concerns(subjects: Iterable[Subject]) -> dict[Subject, Concern]:
    """Two queries at most, and none for groups without terminals."""
    alerts = [subject for subject in subjects if isinstance(subject, Alert)]
    incidents = {subject.pk: subject for subject in subjects if isinstance(subject, Incident)}
    of_incident = members(incidents)
    terminals = {alert.terminal_id for alert in alerts} | {
        row.terminal_id for rows in of_incident.values() for row in rows
    }
    groups = groups_of(terminals) if terminals else {}
    found: dict[Subject, Concern] = {alert: _concern(alert.severity, [alert], groups) for alert in alerts}
    for pk, incident in incidents.items():
        found[incident] = _concern(incident.severity, of_incident.get(pk, []), groups)
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


def _concern(severity: str, alerts: Iterable[Alert], groups: Mapping[int, Collection[int]]) -> Concern:
    alerts = list(alerts)
    return Concern(
        severity,
        {alert.terminal.site.region for alert in alerts},
        {alert.terminal.site_id for alert in alerts},
        {alert.rule_id for alert in alerts},
        {group for alert in alerts for group in groups.get(alert.terminal_id, ())},
    )
