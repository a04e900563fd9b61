"""The forming incident: terminals that were lost just now, before correlation has decided what they are part of. Pure.

Boards show it as one row from its second terminal on, and a single terminal only when it stands alone. Alerts,
notifications and histories do not know it: nothing of it is stored.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings

from tms.lib.severity import worst

MAX_WAITS = 6
"""An alert waits so many times `TMS_CORRELATION_WAIT_S` at most, while more terminals of its site are lost."""
TOGETHER_WAITS = 4
"""Sites that are lost within this time of each other may become one incident, so they are one row until then."""
MAX_TOGETHER_WAITS = 12
MIN_TOGETHER = 2
"""A single terminal is no incident, and a single site is an incident of its own."""


class UndecidedAlerts(NamedTuple):
    """Alerts on presence that nobody has acknowledged, and that may join an incident."""

    site: int
    rule: int
    model: str
    firmware: str
    severity: str
    opened_at: datetime
    """The time of opening in whole seconds."""
    number: int


class SiteIncident(NamedTuple):
    """An open incident of one site, of which no other part is known."""

    pk: int
    site: int
    severity: str
    opened_at: datetime
    lost: int


@dataclass(frozen=True, slots=True)
class FormingIncident:
    """What a board shows as one row, and what it does not show for now."""

    alerts: frozenset[UndecidedAlerts] = frozenset()
    sites: Mapping[int, int] = field(default_factory=dict)
    """Number of terminals of these alerts by site."""
    incidents: tuple[SiteIncident, ...] = ()
    """The incidents that are part of the row until it is decided whether they are one incident."""
    joining: Mapping[UndecidedAlerts, int] = field(default_factory=dict)
    """Undecided alerts, and the unresolved incident that they will join."""
    absorbed: Mapping[int, int] = field(default_factory=dict)
    """Incidents of sites that were lost just now, and the incident of several sites that each will be merged into."""
    severity: str = ""
    opened_at: datetime | None = None

    @property
    def since(self) -> dict[int, datetime]:
        """When each of its sites was lost."""
        found: dict[int, datetime] = {}
        lost: list[UndecidedAlerts | SiteIncident] = [*self.alerts, *self.incidents]
        for one in lost:
            found[one.site] = min(found.get(one.site, one.opened_at), one.opened_at)
        return found

    @property
    def is_shown(self) -> bool:
        return bool(self.incidents) or sum(self.sites.values()) >= MIN_TOGETHER

    @property
    def is_active(self) -> bool:
        """Whether it changes with time alone."""
        return bool(self.incidents or self.sites or self.joining or self.absorbed)

    @property
    def hidden_sites(self) -> frozenset[int]:
        """Sites whose undecided alerts are not rows of their own."""
        return frozenset((*self.sites, *(one.site for one in self.joining)))

    @property
    def merged(self) -> frozenset[int]:
        """Incidents that are part of the row."""
        return frozenset(one.pk for one in self.incidents)

    @property
    def hidden_incidents(self) -> frozenset[int]:
        """Incidents that are not rows of their own."""
        return self.merged | self.absorbed.keys()

    def hides(self, since: datetime | None, site: int, *, at: datetime) -> bool:
        """Whether an alert that is undecided `since` then is no row of its own."""
        if since is None or since <= undecided_since(at):
            return False
        return since > at - wait() or site in self.hidden_sites


NOTHING = FormingIncident()


def wait() -> timedelta:
    return timedelta(seconds=settings.CORRELATION_WAIT_S)


def undecided_since(at: datetime) -> datetime:
    """Alerts that opened before are decided in any case."""
    return at - MAX_WAITS * wait()


def forming(
    undecided: Collection[UndecidedAlerts],
    incidents: Sequence[SiteIncident],
    joining: Mapping[UndecidedAlerts, int],
    absorbed: Mapping[int, int],
    *,
    at: datetime,
) -> FormingIncident:
    """`undecided`: without those that are `joining` an unresolved incident. `incidents`: without the `absorbed` ones.

    A site is undecided while it grows: correlation compares shares, and a share that is too small now may be large
    enough a moment later.
    """
    newest = {one.site: one.opened_at for one in sorted(undecided, key=lambda one: one.opened_at)}
    growing = {site for site, last in newest.items() if last > at - wait()}
    parts = [one for one in undecided if one.site in growing]
    sites = _terminals(parts)
    together = _together(parts, sites, incidents, at)
    lost: list[UndecidedAlerts | SiteIncident] = [*parts, *together]
    return FormingIncident(
        alerts=frozenset(parts),
        sites=sites,
        incidents=together,
        joining=joining,
        absorbed=absorbed,
        severity=worst(one.severity for one in lost),
        opened_at=min((one.opened_at for one in lost), default=None),
    )


def _terminals(alerts: Iterable[UndecidedAlerts]) -> dict[int, int]:
    """Number of terminals by site. Several rules may have an alert for each."""
    by_rule: Counter[tuple[int, int]] = Counter()
    for one in alerts:
        by_rule[one.site, one.rule] += one.number
    sites: dict[int, int] = {}
    for (site, _), number in by_rule.items():
        sites[site] = max(sites.get(site, 0), number)
    return sites


def _together(
    alerts: Iterable[UndecidedAlerts], sites: Mapping[int, int], incidents: Sequence[SiteIncident], at: datetime
) -> tuple[SiteIncident, ...]:
    """The incidents of sites that were lost shortly after each other, if there are several such sites."""
    lost = {one.site: one.opened_at for one in sorted(alerts, key=lambda one: one.opened_at, reverse=True)}
    begins: list[tuple[datetime, SiteIncident | None]] = [
        (begin, None) for site, begin in lost.items() if sites[site] >= MIN_TOGETHER
    ]
    begins += [(one.opened_at, one) for one in incidents]
    chain: list[SiteIncident | None] = []
    last = at
    for begin, incident in sorted(begins, key=lambda pair: pair[0], reverse=True):
        if begin <= last - TOGETHER_WAITS * wait() or begin <= at - MAX_TOGETHER_WAITS * wait():
            break
        chain.append(incident)
        last = begin
    return tuple(one for one in chain if one is not None) if len(chain) >= MIN_TOGETHER else ()
