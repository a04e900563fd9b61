"""When policies tell: those that tell in certain hours only wait for them, with all that is still wrong by then."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tms.alerts.models import Alert
from tms.alerts.suppression.reasons import Suppression
from tms.fleet.sites.calendar import hours_of
from tms.lib.calendar.opening_hours import Hours
from tms.notifications.models.policy import Policy, Telling, When
from tms.notifications.subjects import Subject

REASON = "hours"
A_YEAR = timedelta(days=365)


def waiting(tellings: Iterable[Telling], *, at: datetime) -> dict[int, Suppression]:
    """By telling: until when its policy says nothing. Of what has no single site, the site's hours say nothing."""
    bound = [telling for telling in tellings if telling.policy.when != When.ALWAYS]
    sites = {site for telling in bound if (site := _site_of(telling.policy, telling.subject)) is not None}
    hours = hours_of(sites) if sites else {}
    found: dict[int, Suppression] = {}
    for telling in bound:
        policy = telling.policy
        own = hours.get(_site_of(policy, telling.subject) or 0) if policy.goes_by_site else policy.hours
        if own is not None and (until := _closed_until(own, policy, at)) is not None:
            found[telling.pk] = Suppression(REASON, until)
    return found


def _site_of(policy: Policy, subject: Subject) -> int | None:
    if not policy.goes_by_site:
        return None
    return subject.terminal.site_id if isinstance(subject, Alert) else subject.site_id


def _closed_until(hours: Hours, policy: Policy, at: datetime) -> datetime | None:
    if hours.is_open(at) == policy.tells_within:
        return None
    return hours.next_change(at) or at + A_YEAR
