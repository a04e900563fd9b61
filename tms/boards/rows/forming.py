"""The row of the forming incident."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlencode

from django.utils.translation import gettext, ngettext

from tms.alerts.correlation.forming import FormingIncident
from tms.boards.caches.census import Census, PresenceCounts
from tms.boards.rows.common import SiteLabel
from tms.fleet.models import Presence, Site
from tms.fleet.sites.names import Bilingual

MAX_SITES = 6


class FormingSite(NamedTuple):
    site_label: SiteLabel
    lost: int
    size: int
    """Terminals that were there before."""


@dataclass(frozen=True, slots=True)
class FormingRow:
    severity: str
    opened_at: datetime
    sites: tuple[FormingSite, ...]
    """Most terminals lost first."""
    incidents: tuple[int, ...]
    """The incidents that can be acknowledged already."""

    element = subject = "forming"
    suspect = common_factor_text = ""
    pk = 0
    """It has no row in the database."""
    is_open = True

    @property
    def lost(self) -> int:
        return sum(site.lost for site in self.sites)

    @property
    def size(self) -> int:
        return sum(site.size for site in self.sites)

    @property
    def title(self) -> str:
        numbers = {"lost": self.lost, "size": self.size, "sites": len(self.sites)}
        if len(self.sites) == 1:
            text = gettext("%(name)s: %(lost)d of %(size)d terminals offline")
            return text % {**numbers, "name": str(self.sites[0].site_label.name)}
        text = ngettext(
            "%(sites)d site: %(lost)d of %(size)d terminals offline",
            "%(sites)d sites: %(lost)d of %(size)d terminals offline",
            len(self.sites),
        )
        return text % numbers

    @property
    def query(self) -> str:
        """Selects its incidents for a bulk action."""
        return urlencode([("incidents", str(pk)) for pk in self.incidents])

    @property
    def first_sites(self) -> tuple[FormingSite, ...]:
        """Named beside the title; a single one is the title."""
        return self.sites[:MAX_SITES] if len(self.sites) > 1 else ()

    @property
    def more_sites(self) -> int:
        return max(0, len(self.sites) - MAX_SITES)


def forming_row(shown: FormingIncident, census: Census, *, is_past: bool) -> FormingRow | None:
    """One query; none if there is no such row."""
    if not shown.is_shown or shown.opened_at is None:
        return None
    sites = tuple(sorted(_sites(shown, census), key=lambda site: (-site.lost, site.site_label.code)))
    incidents = () if is_past else tuple(sorted(shown.merged))
    return FormingRow(shown.severity, shown.opened_at, sites, incidents)


def _sites(shown: FormingIncident, census: Census) -> Iterator[FormingSite]:
    lost = dict(shown.sites)
    for incident in shown.incidents:
        lost[incident.site] = lost.get(incident.site, 0) + incident.lost
    rows = Site.objects.filter(pk__in=lost).order_by().values_list("pk", "code", "name", "name_ja")
    for pk, code, *names in rows:
        size = _size(census.sites.get(pk, PresenceCounts()), lost[pk])
        yield FormingSite(SiteLabel(code, Bilingual(*names)), lost[pk], size)


def _size(counts: PresenceCounts, lost: int) -> int:
    """The size without terminals that were offline before, or were never seen."""
    before = max(0, counts.presences[Presence.OFFLINE] - lost)
    return max(lost, counts.total - counts.presences[Presence.NEVER] - before)
