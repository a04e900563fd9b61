"""The availability of sites in the last 30 days that are rolled up. It changes once a day."""

from collections.abc import Collection, Mapping
from datetime import date, datetime, timedelta
from typing import NamedTuple

from tms.accounts.scope import Scope
from tms.availability.report.day_states import day_state
from tms.availability.report.figures import EVERYWHERE, GroupBy, allowed_s, shown_percent
from tms.availability.report.report import ReportReader, default_target, targets
from tms.availability.report.texts import lost_text
from tms.lib.calendar.dates import DAY

DAYS = 30
STEP, BAR, HEIGHT = 3, 2.2, 16
AHEAD = timedelta(hours=14)
"""The local day of a site is ahead of UTC by this at most."""
STATES = ("met", "warning", "critical", "closed", "none")

type Days = Mapping[date, tuple[int, int]]
"""Counted and lost seconds by day."""


class MonthBar(NamedTuple):
    state: str
    path: str


class SiteAvailability(NamedTuple):
    percent: str
    """Empty if nothing counts."""
    target: str
    is_below: bool
    lost: str
    bars: tuple[MonthBar, ...]
    """A bar a day, drawn as one path for each state."""
    below: int
    """The number of days below the target."""


def availability_of(sites: Collection[int], scope: Scope, *, at: datetime) -> dict[int, SiteAvailability]:
    """The availability of these sites, as far as the scope covers them. Three queries."""
    today = (at + AHEAD).date()
    rows = ReportReader(scope).days(today - (DAYS + 1) * DAY, today, EVERYWHERE, GroupBy.SITE)
    days = rows.days(GroupBy.SITE, list(sites)) if sites else {}
    last = max((day for known in days.values() for day in known), default=None)
    own, default = targets(sites), default_target()
    return {site: _availability(days.get(site, {}), last or today - DAY, own.get(site, default)) for site in sites}


def _availability(days: Days, last: date, target: float) -> SiteAvailability:
    known = [days.get(last - back * DAY) for back in range(DAYS - 1, -1, -1)]
    counted = sum(each[0] for each in known if each)
    lost = sum(each[1] for each in known if each)
    states = ["none" if each is None else day_state(*each, target) for each in known]
    return SiteAvailability(
        percent=f"{shown_percent(100 * (counted - lost) / counted)}%" if counted else "",
        target=f"{shown_percent(target)}%",
        is_below=bool(counted) and lost > allowed_s(counted, target),
        lost=lost_text(lost),
        bars=tuple(MonthBar(state, _path(states, state)) for state in STATES if state in states),
        below=states.count("warning") + states.count("critical"),
    )


def _path(states: Collection[str], state: str) -> str:
    return "".join(f"M{x * STEP} 0h{BAR}v{HEIGHT}h-{BAR}z" for x, each in enumerate(states) if each == state)
