"""The charts of the availability page as paths: bars by month and party, bars of 90 days, response times. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from math import ceil
from typing import NamedTuple

from tms.availability.losses import Party
from tms.availability.report.day_states import day_states
from tms.availability.report.figures import AvailabilityTotals, shown_percent
from tms.availability.report.months import Month

STEP, BAR, HEIGHT = 6, 4.4, 22
BASE, TOP = 114.0, 8.0
"""The base line and the top of the bars by month, from above."""
NICE = (1, 2, 5, 10, 15, 20, 30, 50, 75, 100, 150, 200, 300, 500, 1_000, 2_000, 5_000, 10_000)


class DayPath(NamedTuple):
    state: str
    path: str


class DayBars(NamedTuple):
    """A bar a day, drawn as one path for each state."""

    paths: Sequence[DayPath]
    below: int
    far_below: int


class PartyPart(NamedTuple):
    party: str
    y: float
    height: float


class MonthColumn(NamedTuple):
    label: str
    percent: str
    x: float
    middle: float
    width: float
    is_chosen: bool
    parts: Sequence[PartyPart]


class MonthBars(NamedTuple):
    columns: Sequence[MonthColumn]
    target_y: float | None
    target: str
    width: int


class AxisTick(NamedTuple):
    y: float
    text_y: float
    label: str


class StepLine(NamedTuple):
    """A step line with its end."""

    path: str
    label_y: float


class StepLines(NamedTuple):
    """Median and p90 by month, in minutes."""

    ticks: Sequence[AxisTick]
    median: StepLine | None
    p90: StepLine | None
    labels: Sequence[tuple[float, str]]
    width: int
    right: int


def day_bars(days: Mapping[date, tuple[int, int]], last: date, target: float) -> DayBars:
    """`days`: (counted, lost) in seconds. A day without figures was before its first."""
    states = day_states(days, last, target)
    paths = [
        DayPath(
            state,
            "".join(f"M{x * STEP + 0.5:g} 0h{BAR}v{HEIGHT}h-{BAR}z" for x, each in enumerate(states) if each == state),
        )
        for state in ("met", "warning", "critical", "closed", "none")
        if state in states
    ]
    return DayBars(paths, states.count("warning"), states.count("critical"))


def _bar(number: int) -> str:
    return f"M{number * STEP + 0.5:g} 0h{BAR}v{HEIGHT}h-{BAR}z"


def month_bars(
    months: Sequence[tuple[Month, AvailabilityTotals]],
    chosen: Month,
    target: float,
    *,
    width: int,
    label: Callable[[date], str],
) -> MonthBars:
    """Lost time as a share of the counted, stacked by party; the line is what the target allows."""
    allowed = (100 - target) / 100
    shares = [totals.lost_s / totals.counted_s if totals.counted_s else 0.0 for _, totals in months]
    highest = max([*shares, allowed * 1.25, 1e-6])
    per_month = (width - 60) / max(1, len(months))
    bar = min(44.0, per_month - 12)
    columns = []
    for number, (month, totals) in enumerate(months):
        x = 50 + number * per_month
        columns.append(
            MonthColumn(
                label(month.first),
                "–" if totals.percent is None else shown_percent(totals.percent),
                round(x, 1),
                round(x + bar / 2, 1),
                round(bar, 1),
                month == chosen,
                list(_parts(totals, (BASE - TOP) / highest)),
            )
        )
    return MonthBars(columns, round(BASE - allowed * (BASE - TOP) / highest, 1), shown_percent(target), width)


def _parts(totals: AvailabilityTotals, scale: float) -> Iterator[PartyPart]:
    y = BASE
    by_party = totals.by_party()
    for party in Party:
        if seconds := by_party.get(party):
            height = seconds / totals.counted_s * scale
            y -= height
            yield PartyPart(party.value, round(y, 1), round(max(0.6, height - 1), 1))


def steps(values: Sequence[tuple[str, float | None, float | None]], *, width: int, words: int) -> StepLines:
    """(label, median, p90) in seconds by month. `words`: the space for the names of the lines."""
    left, right, bottom, top = 30, width - words, 100.0, 8.0
    known = [value / 60 for _, *both in values for value in both if value is not None]
    highest = next((nice for nice in NICE if nice >= max(known, default=1)), ceil(max(known, default=1)))
    per_month = (right - left) / max(1, len(values))

    def y_of(minutes: float) -> float:
        return round(bottom - minutes / highest * (bottom - top), 1)

    def line(number: int) -> StepLine | None:
        path, last, is_drawn = "", 0.0, False
        for index, value in enumerate(values):
            seconds = value[number]
            if not isinstance(seconds, int | float):
                is_drawn = False
                continue
            x, y = left + index * per_month, y_of(seconds / 60)
            path += f"{'V' if is_drawn else f'M{x:.1f} '}{y}H{x + per_month:.1f}"
            last, is_drawn = y, True
        return StepLine(path, last + 4) if path else None

    ticks = [AxisTick(y_of(value), y_of(value) + 4, f"{value:g}") for value in (0, highest / 2, highest)]
    labels = [(round(left + (index + 0.5) * per_month, 1), value[0]) for index, value in enumerate(values)]
    median, p90 = line(1), line(2)
    if median and p90 and abs(median.label_y - p90.label_y) < 13:
        p90 = StepLine(p90.path, median.label_y - 13)
    return StepLines(ticks, median, p90, labels, width, right)
