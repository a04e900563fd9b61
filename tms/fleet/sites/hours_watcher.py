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
"""Hours may have been edited."""

unreadable = SetAside[int]("site_hours")
"""Sites whose hours cannot be computed."""


class SiteHoursWatcher:
    def __init__(self) -> None:
        self._reads_at: datetime | None = None
        self._next_change = NEVER

    def notify_changes(self, at: datetime) -> None:
        if self._reads_at is not None and at < min(self._reads_at, self._next_change):
            return
        has_changed = self._next_change <= at
        self._reads_at = at + READ_AGAIN
        sites = Site.objects.exclude(pk__in=unreadable.keys(at)).order_by("pk")
        self._next_change = NEVER

        def read(pks: Sequence[int]) -> int:
            changes = [hours.next_change(at) or NEVER for hours in hours_of(pks).values()]
            self._next_change = min([self._next_change, *changes])
            return len(pks)

        if has_changed:
            publish(Change(everything=True))
        isolate(list(sites.values_list("pk", flat=True)), read, aside=unreadable, at=at)
