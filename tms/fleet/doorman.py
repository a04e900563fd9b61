"""Tells the boards when a site opens or closes: nothing else changes then that they would hear of."""

from datetime import datetime, timedelta

from tms.fleet.hours import NEVER
from tms.fleet.models import Site
from tms.fleet.timetable import hours_of
from tms.live.change import Change
from tms.live.feed import publish

READ_AGAIN = timedelta(minutes=1)
"""Hours may have been edited."""


class Doorman:
    def __init__(self) -> None:
        self._reads_at: datetime | None = None
        self._next_change = NEVER

    def look(self, at: datetime) -> None:
        if self._reads_at is not None and at < min(self._reads_at, self._next_change):
            return
        has_changed = self._next_change <= at
        self._reads_at = at + READ_AGAIN
        hours = hours_of(list(Site.objects.values_list("pk", flat=True)))
        self._next_change = min((site.next_change(at) or NEVER for site in hours.values()), default=NEVER)
        if has_changed:
            publish(Change(everything=True))
