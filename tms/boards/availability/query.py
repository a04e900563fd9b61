"""Month, area and grouping of a report, from the URL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import QueryDict
from django.utils.translation import gettext

from tms.accounts.access import Person, scope_of, visible
from tms.availability.report.figures import GroupBy, ReportArea
from tms.availability.report.months import Month
from tms.availability.report.report import AvailabilityRow, ReportReader, months_with_days
from tms.availability.report.texts import month_text
from tms.boards.list_filters.choices import Choice
from tms.fleet.models import Site
from tms.lib.db.natural_order import natural_key
from tms.lib.sort_order import SortHeader, SortOrder, sort_headers

BY_LOSS = SortOrder("worst")
"""The order of reports: by the time lost beyond what the target allows."""
SORT_KEYS: Mapping[str, Callable[[AvailabilityRow], Any]] = {
    "name": lambda row: natural_key(str(row.name)),
    "share": lambda row: row.totals.percent,
    "target": lambda row: row.target,
    "lost": lambda row: row.totals.lost_s,
}
"""Sort keys by column."""


@dataclass(frozen=True, slots=True)
class ReportQuery:
    month: Month
    area: ReportArea
    by: GroupBy
    is_complete: bool
    """All rows, and not only the first ones."""
    order: SortOrder
    months: Sequence[Month]
    """Months that may be chosen, newest first."""
    reader: ReportReader
    sites: QuerySet[Site]

    @classmethod
    def of(cls, query: QueryDict, *, person: Person, current: Month) -> ReportQuery:
        """What is unknown is ignored. GroupBy default, the last month that is over."""
        reader = ReportReader(scope_of(person))
        months = months_with_days(reader) or [current]
        asked = Month.parsed(query.get("month", ""))
        over = next((month for month in months if month < current), months[0])
        sites = visible(Site.objects.order_by("name"), to=person)
        by = query.get("by", "")
        return cls(
            month=asked if asked in months else over,
            area=_area(query.get("where", ""), sites),
            by=GroupBy(by) if by in GroupBy.values else GroupBy.SITE,
            is_complete="all" in query,
            order=SortOrder.of(query, SORT_KEYS, default=BY_LOSS),
            months=months,
            reader=reader,
            sites=sites,
        )

    @property
    def where(self) -> str:
        if self.area.site:
            return f"site:{self.area.site}"
        return f"region:{self.area.region}" if self.area.region else ""

    @property
    def address(self) -> str:
        """The query string of the same report."""
        chosen = {"month": str(self.month), "where": self.where, "by": self.by.value}
        return urlencode({name: value for name, value in chosen.items() if value})

    @property
    def rows_address(self) -> str:
        """The query string of the same rows in the same order."""
        return self._in_order(self.order)

    @property
    def headers(self) -> dict[str, SortHeader]:
        descends_first = {column: column == "lost" for column in SORT_KEYS}
        return sort_headers(self.order, descends_first, address=lambda order: f"?{self._in_order(order)}{self._all}")

    def ordered(self, rows: Sequence[AvailabilityRow]) -> Sequence[AvailabilityRow]:
        if self.order == BY_LOSS:
            return rows
        return sorted(rows, key=SORT_KEYS[self.order.column], reverse=self.order.is_descending)

    @property
    def _all(self) -> str:
        return "&all" if self.is_complete else ""

    def _in_order(self, order: SortOrder) -> str:
        parameter = order.parameter(default=BY_LOSS)
        return self.address + (f"&order={parameter}" if parameter else "")

    @property
    def month_choices(self) -> list[Choice]:
        return [Choice(str(month), month_text(month.first), month == self.month) for month in self.months]

    @property
    def by_choices(self) -> list[Choice]:
        return [Choice(by.value, by.label, by == self.by) for by in GroupBy]

    @property
    def area_choices(self) -> list[Choice]:
        regions = sorted({site.region for site in self.sites if site.region})
        found = [("", gettext("All sites")), *((f"region:{name}", name) for name in regions)]
        found += [(f"site:{site.code}", site.local_name) for site in self.sites]
        return [Choice(value, label, value == self.where) for value, label in found]


def _area(text: str, sites: QuerySet[Site]) -> ReportArea:
    kind, _, name = text.partition(":")
    if kind == "site" and sites.filter(code=name).exists():
        return ReportArea(site=name)
    if kind == "region" and name and sites.filter(region=name).exists():
        return ReportArea(region=name)
    return ReportArea()
