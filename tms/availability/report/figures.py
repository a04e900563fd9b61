"""Sums of days: by site, terminal, kind, model, region, day or month, limited to what a scope covers.

People whose scope contains groups get sums over single terminals; all others those of whole sites, of which there are
far fewer rows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from math import floor
from typing import Any, NamedTuple

from django.db import models
from django.db.models import F, Model, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils.translation import pgettext_lazy

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.availability.losses import LOSS_COLUMNS, LossReason, Party
from tms.availability.models import KindDay, TerminalDay
from tms.availability.report.months import Month

COLUMNS = ("counted_s", "excluded_s", *LOSS_COLUMNS)
SUMS = {f"sum_{name}": Sum(name) for name in COLUMNS}
LOST: Any = sum((F(name) for name in LOSS_COLUMNS[1:]), F(LOSS_COLUMNS[0]))


class GroupBy(models.TextChoices):
    SITE = "site", pgettext_lazy("group by", "By site")
    TERMINAL = "terminal", pgettext_lazy("group by", "By terminal")
    KIND = "kind", pgettext_lazy("group by", "By kind")
    MODEL = "model", pgettext_lazy("group by", "By model")
    REGION = "region", pgettext_lazy("group by", "By region")


type Key = str | int


@dataclass(frozen=True, slots=True)
class AvailabilityTotals:
    """Sums of seconds."""

    counted_s: int = 0
    excluded_s: int = 0
    lost: Mapping[LossReason, int] = field(default_factory=dict)
    """Seconds by reason. Reasons by which nothing was lost are missing."""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> AvailabilityTotals:
        lost = {loss: row[f"sum_{loss.column}"] or 0 for loss in LossReason}
        return cls(
            row["sum_counted_s"] or 0,
            row["sum_excluded_s"] or 0,
            {loss: number for loss, number in lost.items() if number},
        )

    @property
    def lost_s(self) -> int:
        return sum(self.lost.values())

    @property
    def percent(self) -> float | None:
        """The availability in per cent; None if nothing counts."""
        return 100 * (self.counted_s - self.lost_s) / self.counted_s if self.counted_s else None

    def is_below(self, target: float) -> bool:
        return self.counted_s > 0 and self.lost_s > allowed_s(self.counted_s, target)

    def by_party(self) -> dict[Party, int]:
        """Seconds by party, the largest first."""
        found: dict[Party, int] = {}
        for loss, number in self.lost.items():
            found[loss.party] = found.get(loss.party, 0) + number
        return dict(sorted(found.items(), key=lambda pair: -pair[1]))


def allowed_s(counted_s: int, target: float) -> float:
    """The seconds that may be lost without missing the target."""
    return round(counted_s * (100 - target) / 100, 6)


def shown_percent(value: float) -> str:
    """Rounded down, so that a missed target never looks as if it were reached."""
    return f"{floor(value * 100 + 1e-6) / 100:.2f}"


class ReportArea(NamedTuple):
    """A part of the fleet that a report is limited to: a region, or a site by its code. Both empty: everywhere."""

    region: str = ""
    site: str = ""


EVERYWHERE = ReportArea()


@dataclass(frozen=True, slots=True)
class DayRows:
    """The rows that are summed up, and the columns by which they are grouped."""

    rows: QuerySet[Model]
    paths: Mapping[GroupBy, str]

    def totals(self, by: GroupBy | None = None) -> dict[Key, AvailabilityTotals]:
        """GroupBy key; under the key "" without `by`."""
        if by is None:
            return {"": AvailabilityTotals.of(self.rows.order_by().aggregate(**SUMS))}
        path = self.paths[by]
        grouped = self.rows.order_by().values(path).annotate(**SUMS)
        return {row[path]: AvailabilityTotals.of(row) for row in grouped}

    def months(self) -> dict[Month, AvailabilityTotals]:
        grouped = self.rows.order_by().annotate(month=TruncMonth("day")).values("month").annotate(**SUMS)
        return {Month.of(row["month"]): AvailabilityTotals.of(row) for row in grouped}

    def days(self, by: GroupBy, keys: Collection[Key]) -> dict[Key, dict[date, tuple[int, int]]]:
        """(counted, lost) by key and day."""
        path = self.paths[by]
        rows = self.rows.filter(**{f"{path}__in": list(keys)}).order_by().values_list(path, "day")
        found: dict[Key, dict[date, tuple[int, int]]] = {}
        for key, day, counted, lost in rows.annotate(counted=Sum("counted_s"), lost=Sum(LOST)):
            found.setdefault(key, {})[day] = (counted, lost)
        return found


OF_SITES = {
    GroupBy.SITE: "site",
    GroupBy.KIND: "kind",
    GroupBy.MODEL: "model",
    GroupBy.REGION: "site__region",
}
OF_TERMINALS = {
    GroupBy.TERMINAL: "terminal",
    GroupBy.SITE: "site_day__site",
    GroupBy.KIND: "terminal__kind",
    GroupBy.MODEL: "terminal__model",
    GroupBy.REGION: "site_day__site__region",
}


def day_rows(
    scope: Scope,
    since: date,
    until: date,
    *,
    among: Iterable[Scope] = (),
    area: ReportArea = EVERYWHERE,
    by: GroupBy | None = None,
) -> DayRows:
    """The days from `since` to `until`, both included. `among`: further scopes that must cover the rows."""
    scopes = (scope, *among)
    if by is GroupBy.TERMINAL or any(each.groups for each in scopes):
        rows: QuerySet[Model] = TerminalDay.objects.all()
        paths, site = OF_TERMINALS, "site_day__site"
    else:
        rows, paths, site = KindDay.objects.all(), OF_SITES, "site"
    for each in scopes:
        rows = within(rows, each)
    return DayRows(rows.filter(_of_area(area, site), day__gte=since, day__lte=until), paths)


def _of_area(area: ReportArea, site: str) -> Q:
    if area.site:
        return Q(**{f"{site}__code": area.site})
    return Q(**{f"{site}__region": area.region}) if area.region else Q()
