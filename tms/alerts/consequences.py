"""What an action on terminals or alerts means for their sites.

A few queries for any number of them, and of names only the first few. Counts what `to` may see.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Q, QuerySet

from tms.accounts.access import visible
from tms.accounts.display_names import name_of
from tms.accounts.models import User
from tms.alerts.models import Alert, AlertQuerySet
from tms.feed.hub import hub
from tms.fleet.models import Presence, Site, Terminal
from tms.fleet.sites.calendar import hours_of
from tms.fleet.sites.names import Bilingual
from tms.lib.severity import Severity

SHOWN = 3


class Few(NamedTuple):
    """How many there are, and the names of the first."""

    number: int = 0
    names: tuple[Bilingual | str, ...] = ()

    @property
    def others(self) -> int:
        return self.number - len(self.names)


class Lanes(NamedTuple):
    """The terminals of one kind at one site. One works while it is online and has no critical alert."""

    kind: str
    total: int
    working: int
    left: int
    """How many of them work without the terminals of the action."""

    @property
    def down(self) -> int:
        return self.total - self.working


class SiteTimes(NamedTuple):
    """How many of the sites are open and closed, and when the first of them changes."""

    open: int = 0
    closes_at: datetime | None = None
    closed: int = 0
    opens_at: datetime | None = None

    @property
    def total(self) -> int:
        return self.open + self.closed


@dataclass(frozen=True, slots=True)
class Consequences:
    terminals: int
    all_terminals: int
    sites: SiteTimes
    last_lanes: Few
    """Open sites whose last working terminals of a kind are among these."""
    without_lane: Few
    """Open sites where no terminal of the kind of these works already."""
    lanes: Lanes | None
    """The terminals of its kind at its site, if the action is on a single terminal."""
    critical: int
    """Unresolved critical alerts."""
    people: Few
    """Who views or has claimed the alerts, other than the person who asks."""
    at: datetime

    @property
    def minute(self) -> datetime:
        return self.at.replace(second=0, microsecond=0)

    @property
    def takes_last_lane(self) -> bool:
        return self.last_lanes.number > 0


def of_terminals(terminals: QuerySet[Terminal], *, to: User, at: datetime) -> Consequences:
    """The consequences of an action on `terminals` at that time."""
    chosen = visible(terminals, to=to).order_by()
    alerts = Alert.objects.awake().filter(terminal__in=chosen.values("pk"))
    return _consequences(chosen, alerts, to=to, at=at)


def of_alerts(alerts: AlertQuerySet, *, to: User, at: datetime) -> Consequences:
    """The consequences of an action on `alerts`, of which the caller has checked that the person may see them."""
    terminals = Terminal.objects.filter(pk__in=alerts.order_by().values("terminal"))
    return _consequences(terminals.order_by(), alerts.order_by(), to=to, at=at)


def _consequences(terminals: QuerySet[Terminal], alerts: AlertQuerySet, *, to: User, at: datetime) -> Consequences:
    peers = _peers(terminals, to=to)
    is_open, sites = _times({site for site, _, _ in peers}, at)
    return Consequences(
        terminals=sum(taken for _, _, taken in peers),
        all_terminals=visible(Terminal.objects.counted(), to=to).count(),
        sites=sites,
        last_lanes=_first_names(
            {site for site, lanes, _ in peers if is_open[site] and lanes.working and not lanes.left}
        ),
        without_lane=_first_names({site for site, lanes, _ in peers if is_open[site] and not lanes.working}),
        lanes=peers[0][1] if len(peers) == 1 and peers[0][2] == 1 else None,
        critical=alerts.filter(severity=Severity.CRITICAL).count(),
        people=_people(alerts, besides=to),
        at=at,
    )


def _peers(terminals: QuerySet[Terminal], *, to: User) -> Sequence[tuple[int, Lanes, int]]:
    """Site, its terminals of one kind, and how many of them are among `terminals`; where any is."""
    everyone = visible(Terminal.objects.counted().filter(site__in=terminals.values("site")), to=to)
    broken = Alert.objects.unresolved().filter(severity=Severity.CRITICAL).values("terminal")
    works = Q(state__presence=Presence.ONLINE) & ~Q(pk__in=broken)
    is_taken = Q(pk__in=terminals.values("pk"))
    rows = (
        everyone.order_by()
        .values_list("site", "kind")
        .annotate(
            total=Count("pk"),
            working=Count("pk", filter=works),
            left=Count("pk", filter=works & ~is_taken),
            taken=Count("pk", filter=is_taken),
        )
    )
    return [(site, Lanes(kind, *counts), taken) for site, kind, *counts, taken in rows if taken]


def _times(sites: Collection[int], at: datetime) -> tuple[dict[int, bool], SiteTimes]:
    """Whether each site is open at that time, and the sums."""
    hours = hours_of(sites)
    opens = {pk: known.opens_at(at) for pk, known in hours.items()}
    closes = [change for pk, known in hours.items() if opens[pk] is None and (change := known.next_change(at))]
    closed = [opens_at for opens_at in opens.values() if opens_at is not None]
    times = SiteTimes(len(opens) - len(closed), min(closes, default=None), len(closed), min(closed, default=None))
    return {pk: opens_at is None for pk, opens_at in opens.items()}, times


def _first_names(sites: Collection[int]) -> Few:
    if not sites:
        return Few()
    first = Site.objects.filter(pk__in=sites).order_by("name").values_list("name", "name_ja")[:SHOWN]
    return Few(len(sites), tuple(Bilingual(*names) for names in first))


def _people(alerts: AlertQuerySet, *, besides: User) -> Few:
    looking = _viewers(alerts) | set(
        alerts.filter(claimed_by__isnull=False).values_list("claimed_by", flat=True).distinct()
    )
    pks = looking - {besides.pk}
    if not pks:
        return Few()
    people = User.objects.filter(pk__in=pks).order_by("username")[:SHOWN]
    return Few(len(pks), tuple(name_of(person).text for person in people))


def _viewers(alerts: AlertQuerySet) -> set[int]:
    """Who views any of `alerts`, or its incident. No query if nobody views anything."""
    viewings = [viewing for viewing in hub().viewers.all if viewing.alert or viewing.incident]
    if not viewings:
        return set()
    people: dict[tuple[str, int], set[int]] = {}
    for viewing in viewings:
        seen = ("incident", viewing.incident) if viewing.incident else ("alert", viewing.alert)
        people.setdefault(seen, set()).add(viewing.person)
    pks = {kind: [pk for name, pk in people if name == kind] for kind in ("alert", "incident")}
    found = alerts.filter(Q(pk__in=pks["alert"]) | Q(incident__in=pks["incident"])).values_list("pk", "incident")
    seen_now = {("alert", pk) for pk, _ in found} | {("incident", incident) for _, incident in found}
    return set().union(*(people[seen] for seen in seen_now & people.keys()))
