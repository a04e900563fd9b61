"""The honeycomb: one cell per site, coloured by its worst state."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.boards.caches.census import Census, PresenceCounts
from tms.boards.rows.common import SiteLabel
from tms.fleet.models import Presence, Site
from tms.fleet.sites.names import Bilingual
from tms.lib.db.natural_order import natural_key
from tms.lib.severity import Severity

MAX_CELLS = 400
"""The number of sites above which only those with problems have a cell."""
SIZES = ((60, "l"), (20, "m"))
WIDESPREAD = 3
"""One terminal in so many is silent: the site is shown in colour before anything is offline."""
NEEDS_A_PERSON = frozenset({Severity.CRITICAL, Severity.WARNING, Presence.OFFLINE})


@dataclass(frozen=True, slots=True)
class SiteCell:
    site_label: SiteLabel
    terminals: int
    worst: str
    """A severity, a presence, or `ok`."""
    number: int
    """How many of its terminals have the worst state."""
    size: str

    @property
    def element(self) -> str:
        return f"site-{self.site_label.code}"

    @property
    def without_number(self) -> "SiteCell":
        """What is drawn of it while only the number changes, as it does with each terminal that is lost or returns."""
        return replace(self, number=0)

    @property
    def is_widespread(self) -> bool:
        """Whether so many are silent that it is more than one bad line."""
        return self.worst == Presence.SILENT and self.number * WIDESPREAD >= self.terminals

    @property
    def needs_a_person(self) -> bool:
        return self.worst in NEEDS_A_PERSON


type Affected = Mapping[tuple[int, str], int]
"""Number of terminals by site and severity of their unresolved alerts."""


def cells(census: Census, affected: Affected, *, expected: Mapping[int, str], scope: Scope) -> list[SiteCell]:
    """The cells in natural order of region and code. `expected`: closed sites or sites in maintenance, where a
    missing terminal needs no action.
    """
    found = within(Site.objects.order_by(), scope).values_list("pk", "region", "code", "name", "name_ja")
    tallies = census.sites
    filled = [
        (region, _cell(SiteLabel(code, Bilingual(*names)), pk, tallies[pk], affected, expected.get(pk, "")))
        for pk, region, code, *names in found
        if pk in tallies
    ]
    if len(filled) > MAX_CELLS:
        filled = [(region, cell) for region, cell in filled if cell.worst != "ok"]
    filled.sort(key=lambda pair: (natural_key(pair[0]), natural_key(pair[1].site_label.code)))
    return [cell for _, cell in filled[:MAX_CELLS]]


def columns(number: int) -> int:
    """Cells per row, so that few cells are large and many still fit."""
    return next((columns for most, columns in ((4, 2), (9, 3), (20, 4), (200, 6)) if number <= most), 10)


def _cell(site_label: SiteLabel, site: int, tally: PresenceCounts, affected: Affected, expected: str) -> SiteCell:
    worst, number = _worst(tally, expected)
    number = affected.get((site, worst), number)
    size = next((size for least, size in SIZES if tally.total >= least), "s")
    return SiteCell(site_label, tally.total, worst, number, size)


def _worst(tally: PresenceCounts, expected: str) -> tuple[str, int]:
    problems = dict(_alerts(tally.severities)) | (dict(_lost_counts(tally.presences)) if not expected else {})
    for name, number in problems.items():
        if number:
            return name, number
    said_goodbye = tally.presences[Presence.CLOSED] == tally.total
    return expected or (Presence.CLOSED.value if said_goodbye else "ok"), 0


def _alerts(severities: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    yield Severity.CRITICAL.value, severities[Severity.CRITICAL]
    yield Severity.WARNING.value, severities[Severity.WARNING]


def _lost_counts(presences: Mapping[str, int]) -> Iterable[tuple[str, int]]:
    yield Presence.OFFLINE.value, presences[Presence.OFFLINE]
    yield Presence.SILENT.value, presences[Presence.SILENT]
