"""Publishes a change when a site opens or closes, because no row changes at that time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Site
from tms.fleet.sites.calendar import hours_of
from tms.lib.calendar.opening_hours import NEVER
from tms.lib.set_aside import SetAside, isolate

READ_AGAIN = timedelta(minutes=1)
"""How often the hours are read: they may have been edited."""

unreadable = SetAside[int]("site_hours")
"""Sites whose hours cannot be computed."""


class SiteHoursWatcher:
    def __init__(self) -> None:
        self._read_at: datetime | None = None
        self._next_change = NEVER

    def notify_changes(self, at: datetime) -> None:
        # Without an earlier pass, another process may have led until a moment ago.
        since = self._read_at or at - READ_AGAIN
        if self._read_at is not None and at < min(since + READ_AGAIN, self._next_change):
            return
        sites = Site.objects.exclude(pk__in=unreadable.keys(at)).order_by("pk")
        self._read_at, self._next_change = at, NEVER
        changed = set[int]()

        def read(pks: Sequence[int]) -> int:
            hours = hours_of(pks)
            # By the hours as they are now: they may have been edited since.
            changed.update(pk for pk, one in hours.items() if (one.next_change(since) or NEVER) <= at)
            self._next_change = min([self._next_change, *(one.next_change(at) or NEVER for one in hours.values())])
            return len(pks)

        isolate(list(sites.values_list("pk", flat=True)), read, aside=unreadable, at=at)
        if changed:
            publish(Change(everything=True))
