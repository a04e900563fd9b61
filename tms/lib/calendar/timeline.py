"""The geometry of a picture of days: lanes with bars on a time axis, in strips below each other. Pure.

A length on the axis is time on the clocks of the zone, so each day has the same width, also when clocks change.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import NamedTuple
from zoneinfo import ZoneInfo

from tms.lib.calendar.dates import DAY
from tms.lib.calendar.local_time import instant, local_time

HEAD, LANE, BAR, GAP = 26.0, 58.0, 34.0, 2.0
THIN = 6.0
"""The height of a bar that marks a part of another one."""
NARROWEST = 8.0
STROKE = 1.5


class TimelineBar(NamedTuple):
    since: datetime
    until: datetime
    text: str
    kind: str
    """The kind of bar for the style sheet, such as `shift` or `gap`."""
    title: str = ""
    """All that the bar means."""
    address: str = ""
    is_thin: bool = False


class TimelineLane(NamedTuple):
    name: str
    detail: str
    bars: Sequence[TimelineBar]
    address: str = ""


class StripSize(NamedTuple):
    """Pixels, and the days of a strip. Without a column of labels they are above the bars."""

    width: float
    labels: float
    days: int


WIDE, NARROW = StripSize(1180, 190, 14), StripSize(342, 0, 7)
SIZES = {"wide": WIDE, "phone": NARROW}


class DrawnBar(NamedTuple):
    x: float
    y: float
    width: float
    height: float
    bar: TimelineBar

    @property
    def box(self) -> tuple[float, float]:
        """Width and height within the stroke."""
        return round(self.width - STROKE, 1), round(self.height - STROKE, 1)


class DrawnLane(NamedTuple):
    y: float
    label_y: float
    lane: TimelineLane
    bars: list[DrawnBar]


class DrawnDay(NamedTuple):
    x: float
    text_x: float
    on: date
    is_today: bool


class TimelineStrip(NamedTuple):
    width: float
    height: float
    days: list[DrawnDay]
    lanes: list[DrawnLane]
    now_x: float | None
    label_width: float


@dataclass(frozen=True, slots=True)
class Timeline:
    """`days` days from `first` on, by the clocks of `zone`; `at` is now."""

    lanes: Sequence[TimelineLane]
    first: date
    days: int
    zone: ZoneInfo
    at: datetime

    @property
    def since(self) -> datetime:
        return midnight(self.first, self.zone)

    @property
    def until(self) -> datetime:
        return midnight(self.first + self.days * DAY, self.zone)

    def strips(self, size: StripSize) -> Iterator[TimelineStrip]:
        for begin in range(0, self.days, size.days):
            yield self._strip(size, self.first + begin * DAY)

    @property
    def pictures(self) -> dict[str, list[TimelineStrip]]:
        """The strips by the size that shows them."""
        return {name: list(self.strips(size)) for name, size in SIZES.items()}

    def _strip(self, size: StripSize, first: date) -> TimelineStrip:
        day_width = (size.width - size.labels - GAP) / size.days
        label = 0.0 if size.labels else 18.0

        def x(at: datetime) -> float:
            passed = (local_time(at, self.zone) - datetime.combine(first, time())) / DAY
            return round(size.labels + min(max(passed, 0), size.days) * day_width, 1)

        until = midnight(first + size.days * DAY, self.zone)
        lanes = [
            _lane(lane, HEAD + number * (LANE + label), label, x, (midnight(first, self.zone), until))
            for number, lane in enumerate(self.lanes)
        ]
        today = local_time(self.at, self.zone).date()
        on = [first + number * DAY for number in range(size.days)]
        days = [_day(round(size.labels + i * day_width, 1), day, today) for i, day in enumerate(on)]
        now_x = x(self.at) if today in on else None
        height = HEAD + len(self.lanes) * (LANE + label)
        return TimelineStrip(size.width, height, days, lanes, now_x, size.labels - 12 if size.labels else size.width)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    return instant(datetime.combine(day, time()), zone)


def _day(x: float, on: date, today: date) -> DrawnDay:
    return DrawnDay(x, x + 6, on, on == today)


def _lane(
    lane: TimelineLane, y: float, label: float, x: Callable[[datetime], float], period: tuple[datetime, datetime]
) -> DrawnLane:

    top = y + label + (LANE - BAR) / 2
    bars = []
    for bar in lane.bars:
        if bar.until <= period[0] or bar.since >= period[1]:
            continue
        begin, end = x(bar.since) + GAP, x(bar.until) - GAP
        height = THIN if bar.is_thin else BAR
        bars.append(DrawnBar(begin, top + BAR - height, round(max(end - begin, NARROWEST), 1), height, bar))
    return DrawnLane(y, y + (14 if label else 27), lane, bars)
