"""Response times as a page and as CSV."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tms.accounts.access import Person, visible
from tms.alerts.models import Alert
from tms.alerts.statistics.response_times import By, ResponseTimes, Spread, times
from tms.boards.list_filters.choices import Choice
from tms.fleet.models import Site
from tms.fleet.sites.names import Bilingual
from tms.lib.csv_export import Cell
from tms.lib.severity import RANKS
from tms.shifts.period import Period

PRESETS = MappingProxyType(
    {"24h": timedelta(hours=24), "7d": timedelta(days=7), "30d": timedelta(days=30), "90d": timedelta(days=90)}
)
LABELS = {"24h": _("24 h"), "7d": _("7 d"), "30d": _("30 d"), "90d": _("90 d")}
DEFAULT = "7d"
MAX_SITES = 50
SPREAD = ("number", "mean_s", "median_s", "p90_s")
HEAD = (
    *("by", "name", "opened", "suppressed", "resolved_unacknowledged", "unacknowledged"),
    *(f"time_to_acknowledge_{name}" for name in SPREAD),
    *(f"time_to_resolve_{name}" for name in SPREAD),
)


class SiteRow(NamedTuple):
    """A site with its response times."""

    code: str
    name: Bilingual
    line: ResponseTimes


@dataclass(frozen=True, slots=True)
class Figures:
    span: Period
    total: ResponseTimes | None
    severities: list[ResponseTimes]
    sites: list[SiteRow]

    @classmethod
    def of(cls, query: QueryDict, *, person: Person, at: datetime) -> "Figures":
        span = Period.of(query, PRESETS, default=DEFAULT, at=at)
        lines = times(visible(Alert.objects.opened(span.since, span.until), to=person))
        return cls(
            span,
            next((line for line in lines if line.by is By.ALL), None),
            sorted((line for line in lines if line.by is By.SEVERITY), key=lambda line: RANKS[str(line.key)]),
            _site_rows([line for line in lines if line.by is By.SITE], person),
        )

    @property
    def spans(self) -> list[Choice]:
        return [Choice(name, label, name == self.span.preset, f"?span={name}") for name, label in LABELS.items()]

    @property
    def tables(self) -> list[dict[str, object]]:
        """Rows of (key, name, response times), and the number of further rows that only the CSV has."""
        shown = self.sites[:MAX_SITES]
        return [
            {"by": By.SEVERITY.value, "rows": [(line.key, None, line) for line in self.severities], "hidden": 0},
            {
                "by": By.SITE.value,
                "rows": [(row.code, row.name, row.line) for row in shown],
                "hidden": len(self.sites) - len(shown),
            },
        ]

    def export_rows(self) -> Iterable[Sequence[Cell]]:
        yield HEAD
        if self.total:
            yield _export_row(self.total, "")
        yield from (_export_row(line, str(line.key)) for line in self.severities)
        yield from (_export_row(row.line, row.code) for row in self.sites)


def _site_rows(lines: list[ResponseTimes], person: Person) -> list[SiteRow]:
    """Sites with the most opened alerts first."""
    sites = visible(Site.objects.all(), to=person).in_bulk([int(line.key) for line in lines])
    ordered = sorted(lines, key=lambda line: (-line.opened, sites[int(line.key)].code))
    return [
        SiteRow(site.code, Bilingual(site.name, site.name_ja), line)
        for line, site in ((line, sites[int(line.key)]) for line in ordered)
    ]


def _export_row(line: ResponseTimes, name: str) -> Sequence[Cell]:
    numbers = (line.opened, line.suppressed, line.resolved_unacknowledged, line.unacknowledged)
    return (line.by.value, name, *numbers, *_spread(line.time_to_acknowledge), *_spread(line.time_to_resolve))


def _spread(spread: Spread) -> Sequence[Cell]:
    durations = (spread.mean_s, spread.median_s, spread.p90_s)
    return (spread.number, *(None if seconds is None else round(seconds, 1) for seconds in durations))
