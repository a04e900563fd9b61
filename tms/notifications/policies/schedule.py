"""Active hours of policies: outside of them an escalation waits, and continues with what is still unresolved."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tms.alerts.models import Alert
from tms.alerts.suppression.reasons import Suppression
from tms.fleet.sites.calendar import hours_of
from tms.lib.calendar.opening_hours import Hours
from tms.notifications.models.policy import Escalation, Policy, PolicyHours
from tms.notifications.subjects import Subject

REASON = "hours"
A_YEAR = timedelta(days=365)


def outside_hours(escalations: Iterable[Escalation], *, at: datetime) -> dict[int, Suppression]:
    """How long the policy of each escalation is inactive. Site hours do not apply to a subject of several sites."""
    bound = [escalation for escalation in escalations if escalation.policy.when != PolicyHours.ALWAYS]
    sites = {site for escalation in bound if (site := _site_of(escalation.policy, escalation.subject)) is not None}
    hours = hours_of(sites) if sites else {}
    found: dict[int, Suppression] = {}
    for escalation in bound:
        policy = escalation.policy
        own = hours.get(_site_of(policy, escalation.subject) or 0) if policy.follows_site_hours else policy.hours
        if own is not None and (until := _closed_until(own, policy, at)) is not None:
            found[escalation.pk] = Suppression(REASON, until)
    return found


def _site_of(policy: Policy, subject: Subject) -> int | None:
    if not policy.follows_site_hours:
        return None
    return subject.terminal.site_id if isinstance(subject, Alert) else subject.site_id


def _closed_until(hours: Hours, policy: Policy, at: datetime) -> datetime | None:
    if hours.is_open(at) == policy.notifies_within:
        return None
    return hours.next_change(at) or at + A_YEAR
