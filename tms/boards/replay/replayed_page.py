"""The values of the templates in `boards/replay/`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import parse_qsl

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import Scope
from tms.boards.list_filters.choices import Choice
from tms.boards.replay.chosen import MICROSECOND, SECOND, ChosenInstant, query_of, ranges_of
from tms.boards.replay.context import PastContext
from tms.boards.replay.known import Known, read_known
from tms.boards.replay.links import add_query
from tms.boards.replay.strip import Strip, StripEvent, strip
from tms.boards.replay.window import ReplayWindow, Tick, ticks, window_of
from tms.lib.calendar.durations import spell
from tms.replay.density import event_after, event_before
from tms.replay.state import Moment, MomentLimit

RANGE_LABELS = {
    "1h": _("1 h"),
    "8h": _("8 h"),
    "24h": _("24 h"),
    "7d": _("7 d"),
    "30d": _("30 d"),
    "1y": _("1 y"),
}
SPEEDS = (1, 10, 60, 300, 600)


@dataclass
class ReplayedPage:
    """`live_url` is the page that is replayed, of the present."""

    chosen: ChosenInstant
    scope: Scope
    earliest: datetime
    live_url: str
    now: datetime

    speeds = SPEEDS

    @property
    def at(self) -> datetime:
        return self.chosen.at

    @property
    def query(self) -> str:
        return self.chosen.query

    @property
    def path(self) -> str:
        return self.live_url.partition("?")[0]

    @property
    def parameters(self) -> list[tuple[str, str]]:
        """The parameters of the page itself."""
        return parse_qsl(self.live_url.partition("?")[2])

    @property
    def age(self) -> str:
        """The time between the instant and now, in its two largest units."""
        return spell((self.now - self.at).total_seconds())

    @property
    def local(self) -> str:
        return f"{timezone.localtime(self.at):%Y-%m-%d %H:%M}"

    @property
    def zone(self) -> str:
        """The name of the zone of `local`."""
        return timezone.get_current_timezone_name()

    @property
    def zone_name(self) -> str:
        return f"{timezone.localtime(self.at):%Z}"

    @property
    def limits(self) -> Sequence[MomentLimit]:
        return self.context.moment.limits

    @cached_property
    def previous(self) -> str:
        """The address at the previous event; events within the shown second are part of what is shown."""
        found = event_before(self.at - SECOND + MICROSECOND, self.earliest, self.scope)
        return self.url(found) if found else ""

    @cached_property
    def next(self) -> str:
        found = event_after(self.at, self.now - SECOND, self.scope)
        return self.url(found) if found else ""

    @property
    def ranges(self) -> list[Choice]:
        return [Choice(name, RANGE_LABELS[name], name == self.chosen.range) for name in ranges_of(self.scope)]

    @cached_property
    def events(self) -> list[tuple[StripEvent, str]]:
        """The events, with the address of each."""
        return [(event, self.url(event.at)) for event in self.strip.events if event.at <= self.now]

    @property
    def ticks(self) -> list[Tick]:
        return list(ticks(self.window, self.chosen))

    @property
    def tick_form(self) -> str:
        """The form of ticks, as `instants.time_element` names it."""
        return "day" if self.chosen.days > 1 else "clock"

    @property
    def offset_s(self) -> int:
        return self.window.offset_s(self.at)

    @cached_property
    def context(self) -> PastContext:
        return PastContext(Moment(self.at, self.scope, now=self.now))

    @cached_property
    def window(self) -> ReplayWindow:
        return window_of(self.chosen, now=self.now)

    @cached_property
    def strip(self) -> Strip:
        return strip(self.window, self.at, earliest=self.earliest, present=self.context.present)

    @cached_property
    def known(self) -> Known:
        return read_known(self.context)

    def url(self, at: datetime) -> str:
        """The same page at another instant."""
        return add_query(self.live_url, query_of(at, self.chosen.range))
