"""Order of alerts by impact, with the reason for each position.

It is computed from the unresolved alerts in each pass and not stored: whether a lane is the last one at its site
changes with every other terminal there, and with time (docs/decisions/0024).
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from django.db.models import Count, QuerySet

from tms.accounts.access import within
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.models import Alert, AlertState
from tms.boards.caches.census import Census
from tms.boards.rows.alerts import AlertRow
from tms.fleet.models import Presence
from tms.fleet.sites.hours_cache import SiteStatus, hours_cache
from tms.fleet.sites.impact import ImpactLevel, ImpactReason, PeerGroup, Weight, score
from tms.lib.db.prepared import DbRow
from tms.lib.pagination import Column, Keyset, instant
from tms.lib.severity import RANKS, Severity

type PeerCounts = Counter[tuple[int, str]]
"""Number of terminals by site and kind."""

type ImpactKey = tuple[int, int, int, int, datetime, int]
"""The columns of BY_IMPACT."""

WEIGHED = ("pk", "severity", "state", "opened_at", "terminal__site", "terminal__kind")
BY_IMPACT = Keyset(
    (
        Column("level", int),
        Column("share", int),
        Column("rank", int),
        Column("acknowledged", int),
        Column("opened_at", instant),
        Column("pk", int),
    )
)


class ImpactRanking:
    """`census` and `scope`: the terminals that count at each site."""

    def __init__(self, census: Census, *, at: datetime, scope: Scope = EVERYTHING) -> None:
        self._census = census
        self._at = at
        self._scope = scope
        self._known: dict[int, SiteStatus] = {}

    def order(self, alerts: QuerySet[Alert]) -> list[ImpactKey]:
        """The sort key of each of `alerts`, in order: the columns of BY_IMPACT, the last one the primary key."""
        return self.order_of(list(alerts.order_by().values_list(*WEIGHED)))

    def order_of(self, rows: Collection[DbRow]) -> list[ImpactKey]:
        """The same for the columns WEIGHED of alerts."""
        statuses = self._statuses({row[4] for row in rows})
        weights: dict[tuple[int, str, str], Weight] = {}
        keys = []
        for pk, severity, state, opened_at, site, kind in rows:
            at = site, kind, severity
            weight = weights.get(at) or weights.setdefault(at, self._weight(severity, site, kind, statuses.get(site)))
            is_acknowledged = int(state != AlertState.OPEN)
            keys.append((int(weight.level), weight.share, RANKS[severity], is_acknowledged, opened_at, pk))
        return sorted(keys)

    def explain(self, rows: Collection[AlertRow]) -> list[AlertRow]:
        """Add the reason for its position to each row. Rows stay equal while the reason is the same."""
        self._statuses({row.site for row in rows})
        reasons = ((row, self._why(row)) for row in rows)
        return [row if why == row.why else replace(row, why=why) for row, why in reasons]

    def _why(self, row: AlertRow) -> ImpactReason | None:
        """The reason of the impact; None for an alert that blocks nothing."""
        status = self._statuses([row.site]).get(row.site)
        weight = self._weight(row.severity, row.site, row.kind, status)
        if row.is_resolved or weight.level is ImpactLevel.NONE:
            return None
        peers = self._peers(row.site, row.kind)
        return ImpactReason(weight.level.name.lower(), row.kind, *peers, status.changes_at if status else None)

    def _weight(self, severity: str, site: int, kind: str, status: SiteStatus | None) -> Weight:
        return score(severity, self._peers(site, kind), is_closed=status is not None and status.opens_at is not None)

    def _peers(self, site: int, kind: str) -> PeerGroup:
        total, online = self._census.peers[site, kind], self._census.peers_online[site, kind]
        return PeerGroup(max(0, online - self._broken[site, kind]), total)

    def _statuses(self, sites: Collection[int]) -> Mapping[int, SiteStatus]:
        """The status of these sites, and of those requested before."""
        if missing := set(sites) - self._known.keys():
            self._known |= hours_cache().statuses(missing, self._at)
        return self._known

    @cached_property
    def _broken(self) -> PeerCounts:
        """Number of terminals that are online and have a critical alert."""
        critical = within(Alert.objects.unresolved(), self._scope).filter(severity=Severity.CRITICAL)
        online = critical.filter(terminal__state__presence=Presence.ONLINE)
        rows = online.values_list("terminal__site", "terminal__kind").annotate(n=Count("terminal", distinct=True))
        return Counter({(site, kind): n for site, kind, n in rows})
