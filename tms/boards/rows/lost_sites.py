"""An outage of several sites: each site, and what may be the cause. From the counts of the boards; one query."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tms.boards.caches.census import Census
from tms.boards.rows.common import SiteLabel
from tms.fleet.models import Presence, Site, TerminalKind
from tms.fleet.sites.names import Bilingual

MAX_SITES = 8
MAX_KINDS = 2
BY_IMPORTANCE = (TerminalKind.PAYMENT, TerminalKind.GATE, TerminalKind.KIOSK)
"""Kinds without which a site can do no business."""


class KindCount(NamedTuple):
    kind: str
    number: int


class LostSite(NamedTuple):
    site_label: SiteLabel
    since: datetime | None
    lost: int
    size: int
    """Terminals that have been seen."""
    kinds: tuple[KindCount, ...]
    """Offline, the most frequent first."""
    stopped: KindCount | None
    """The most important kind of which no terminal is online, and how many there are."""


@dataclass(frozen=True, slots=True)
class LostSiteTable:
    sites: tuple[LostSite, ...]
    """The sites in the order in which they were lost."""
    more: int
    """Number of sites that are not listed."""
    online_there: int
    """Terminals that are online at these sites: they have power and a line."""
    online_elsewhere: int


def lost_sites(since: Mapping[int, datetime], census: Census) -> LostSiteTable:
    """The table of lost sites. `since`: when each site was lost, by primary key."""
    online = sum(census.sites[site].presences[Presence.ONLINE] for site in since if site in census.sites)
    labels = dict(_labels(since))
    found = sorted((_lost_site(site, labels[site], since[site], census) for site in labels), key=_order)
    elsewhere = census.presences[Presence.ONLINE] - online
    return LostSiteTable(tuple(found[:MAX_SITES]), max(0, len(found) - MAX_SITES), online, elsewhere)


def _order(site: LostSite) -> tuple[float, str]:
    return (site.since.timestamp() if site.since else 0.0, site.site_label.code)


def _labels(sites: Iterable[int]) -> Iterable[tuple[int, SiteLabel]]:
    rows = Site.objects.filter(pk__in=tuple(sites)).order_by().values_list("pk", "code", "name", "name_ja")
    return ((pk, SiteLabel(code, Bilingual(*names))) for pk, code, *names in rows)


def _lost_site(pk: int, label: SiteLabel, since: datetime, census: Census) -> LostSite:
    offline: Counter[str] = Counter()
    size: Counter[str] = Counter()
    for presence, kind, number in census.kinds_at.get(pk, ()):
        if presence != Presence.NEVER:
            size[kind] += number
        if presence == Presence.OFFLINE:
            offline[kind] += number
    stopped = next((kind for kind in BY_IMPORTANCE if size[kind] and not census.peers_online[pk, kind]), None)
    return LostSite(
        label,
        since,
        offline.total(),
        size.total(),
        tuple(KindCount(*pair) for pair in offline.most_common(MAX_KINDS)),
        KindCount(stopped, size[stopped]) if stopped else None,
    )
