"""What the availability page shows, as plain values and texts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from tms.alerts.statistics.response_times import Spread
from tms.availability.losses import Party
from tms.availability.report.figures import AvailabilityTotals, GroupBy, shown_percent
from tms.availability.report.report import (
    MAX_ROWS,
    AvailabilityReport,
    AvailabilityRow,
    Breach,
    BreachIncident,
    MonthTimes,
    bars,
    breaches,
    report,
)
from tms.availability.report.texts import (
    day_text,
    headline,
    hours_text,
    lost_text,
    month_text,
    percent_text,
    reason_text,
    share,
    short_month,
    summary,
)
from tms.boards.availability import charts
from tms.boards.availability.query import BY_LOSS, ReportQuery
from tms.fleet.sites.names import Bilingual
from tms.lib.calendar.durations import spell

TITLES = {
    GroupBy.SITE: _("Sites"),
    GroupBy.TERMINAL: _("Terminals"),
    GroupBy.KIND: _("Kinds"),
    GroupBy.MODEL: _("Models"),
    GroupBy.REGION: _("Regions"),
}
FIRST_ROWS, SHOWN_BREACHES = 10, 5


class RowView(NamedTuple):
    name: Bilingual
    code: str
    percent: str
    target: str
    lost: str
    is_below: bool
    bars: charts.DayBars


class LossView(NamedTuple):
    label: str
    lost: str
    share: str


class PartyView(NamedTuple):
    key: str
    label: str
    lost: str
    share: str
    x: float
    width: float
    losses: Sequence[LossView]


class BreachView(NamedTuple):
    name: Bilingual
    percent: str
    target: str
    lost: str
    reason: str
    incidents: Sequence[BreachIncident]


class HeadFigure(NamedTuple):
    label: str
    value: str
    note: str


def context(query: ReportQuery) -> dict[str, object]:
    found = report(query.month, query.reader, area=query.area, by=query.by)
    counted = query.ordered([row for row in found.rows if row.totals.counted_s])
    shown = counted[: MAX_ROWS if query.is_complete else FIRST_ROWS]
    below = found.breaches
    return {
        "query": query,
        "title": TITLES[found.by],
        "report": found,
        "month": month_text(found.month.first),
        "last_day": day_text(found.last_day),
        "headline": headline(found),
        "summary": summary(found),
        "figures": figures(found),
        "headers": query.headers,
        "is_worst_first": query.order == BY_LOSS,
        "rows": row_views(found, shown, query),
        "hidden": len(counted) - len(shown),
        "number": len(counted),
        "breaches": [breach_view(each) for each in breaches(found, query.reader, limit=SHOWN_BREACHES)],
        "breaches_number": len(below),
        "parties": party_views(found.total),
        "plots": {
            size: charts.month_bars(found.months, found.month, found.target, width=width, label=short_month)
            for size, width in (("wide", 520), ("phone", 342))
        },
        "times": times_views(found.times),
    }


def figures(found: AvailabilityReport) -> list[HeadFigure]:
    of = ngettext("of %(number)s", "of %(number)s", len(found.counted_sites)) % {"number": len(found.counted_sites)}
    shown = [HeadFigure(gettext("Sites on target"), f"{found.sites_on_target:,}", of)]
    now, before = found.times[-1], found.times[-2]
    for label, name in ((gettext("MTTA"), "time_to_acknowledge"), (gettext("MTTR"), "time_to_resolve")):
        note = f"{short_month(before.month.first)} {spell(mean)}" if (mean := _mean(before, name)) else ""
        shown.append(HeadFigure(label, _spelt(_mean(now, name)), note))
    return shown


def _mean(of_month: MonthTimes, name: str) -> float | None:
    spread: Spread | None = getattr(of_month.times, name) if of_month.times else None
    return spread.mean_s if spread else None


def _spelt(seconds: float | None) -> str:
    return "–" if seconds is None else spell(seconds)


def row_views(found: AvailabilityReport, rows: Sequence[AvailabilityRow], query: ReportQuery) -> list[RowView]:
    days = bars(found, rows, query.reader)
    return [
        RowView(
            row.name,
            row.code,
            percent_text(row.totals),
            shown_percent(row.target),
            lost_text(row.totals.lost_s),
            row.is_below,
            charts.day_bars(days.get(row.key, {}), found.last_day, row.target),
        )
        for row in rows
    ]


def breach_view(breach: Breach) -> BreachView:
    row = breach.site
    return BreachView(
        row.name,
        percent_text(row.totals),
        shown_percent(row.target),
        lost_text(row.totals.lost_s),
        reason_text(row),
        breach.incidents,
    )


def party_views(total: AvailabilityTotals) -> list[PartyView]:
    """Widths are of 1,000."""
    views, x = [], 0.0
    for party, seconds in total.by_party().items():
        width = 1000 * seconds / total.lost_s
        losses = sorted(
            ((loss, number) for loss, number in total.lost.items() if loss.party is party), key=lambda pair: -pair[1]
        )
        lines = [LossView(str(loss.label), hours_text(number), share(number, total)) for loss, number in losses]
        views.append(
            PartyView(
                party.value,
                str(Party(party).label),
                hours_text(seconds),
                share(seconds, total),
                round(x, 1),
                round(max(1.0, width - 2), 1),
                lines,
            )
        )
        x += width
    return views


def times_views(months: Sequence[MonthTimes]) -> list[dict[str, object]]:
    titles = (
        ("time_to_acknowledge", gettext("Time to acknowledge (MTTA), minutes")),
        ("time_to_resolve", gettext("Time to resolve (MTTR), minutes")),
    )
    shown: list[dict[str, object]] = []
    for name, title in titles:
        spreads = [(short_month(each.month.first), getattr(each.times, name, None)) for each in months]
        values = [(label, one.median_s if one else None, one.p90_s if one else None) for label, one in spreads]
        shown.append(
            {
                "title": title,
                "table": [(label, _spelt(median), _spelt(p90)) for label, median, p90 in values],
                "plots": {
                    "wide": charts.steps(values, width=380, words=52),
                    "phone": charts.steps(values, width=342, words=52),
                },
            }
        )
    return shown
