"""Writes the incidents of the demo's week: a whole site was lost, a person acknowledged it, and it recovered."""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from tms.alerts.models.factor import Factor
from tms.alerts.models.incident import Incident, IncidentState, IncidentTransition
from tms.alerts.models.incident import IncidentTransitionKind as Kind
from tms.demo.week.history import ALERT_AFTER, Story, alert_of_loss
from tms.demo.week.losses import Loss
from tms.fleet.models import Site
from tms.lib.severity import Severity

CORRELATED_AFTER = timedelta(seconds=3)
ANSWERED_WITHIN = timedelta(minutes=7)
"""The longest time from an incident until a person acknowledges it."""


def write_incidents(losses: Iterable[Loss], story: Story) -> None:
    """Write incidents, with the alerts of their terminals, which `story` saves."""
    for loss in losses:
        if loss.site is not None and _is_noticed(loss, loss.site, story):
            incident = _incident(loss, loss.site, story)
            incident.save()
            alert_of_loss(loss, story, incident)
            IncidentTransition.objects.bulk_create(_transitions(incident, loss))


def _is_noticed(loss: Loss, site: Site, story: Story) -> bool:
    opened_at = loss.began_at + ALERT_AFTER
    return opened_at < loss.ended_at and story.hours[site.pk].is_open(opened_at)


def _incident(loss: Loss, site: Site, story: Story) -> Incident:
    opened_at = loss.began_at + ALERT_AFTER + CORRELATED_AFTER
    # A short one was acknowledged before it ended, too.
    acknowledged_at = opened_at + story.rng.uniform(0.1, 1) * min(ANSWERED_WITHIN, (loss.ended_at - opened_at) / 2)
    number = len(loss.terminals)
    return Incident(
        factor=Factor.SITE,
        key=str(site.pk),
        site=site,
        severity=Severity.CRITICAL,
        state=IncidentState.RESOLVED,
        opened_at=opened_at,
        changed_at=loss.ended_at,
        resolved_at=loss.ended_at,
        unchanged_since=loss.ended_at,
        size=number,
        lost=number,
        joined_count=number,
        resolved_count=number,
        acknowledged_by=story.person_at(acknowledged_at),
        acknowledged_at=acknowledged_at,
        comment=loss.comment,
    )


def _transitions(incident: Incident, loss: Loss) -> Iterator[IncidentTransition]:
    """Dispatched already, so that nobody is notified of the past."""
    number = incident.joined_count
    rows = (
        (Kind.OPENED, incident.opened_at, number, number),
        (Kind.ACKNOWLEDGED, incident.acknowledged_at or incident.opened_at, 0, number),
        (Kind.MEMBERS_RESOLVED, loss.ended_at, number, 0),
        (Kind.RESOLVED, loss.ended_at, 0, 0),
    )
    for kind, at, count, open_count in rows:
        is_by_person = kind is Kind.ACKNOWLEDGED
        yield IncidentTransition(
            incident=incident,
            kind=kind,
            at=at,
            by=incident.acknowledged_by if is_by_person else None,
            comment=incident.comment if is_by_person else "",
            number=count,
            open_count=open_count,
            severity=incident.severity,
            dispatched_at=at,
        )
