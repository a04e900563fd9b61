"""Which sites are open now. Boards and queries ask it all the time, but it changes twice a day."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.fleet.models import Site
from tms.fleet.sites.calendar import hours_of
from tms.lib.calendar.opening_hours import NEVER, Hours
from tms.lib.per_process import per_process


class SiteStatus(NamedTuple):
    """Whether a site is open, until it changes."""

    opens_at: datetime | None
    """When the site opens; None while it is open."""
    changes_at: datetime | None
    valid_until: datetime


class HoursMemory:
    """What was read since the last change; filled on demand."""

    def __init__(self) -> None:
        self.hours: dict[int, Hours] = {}
        self.statuses: dict[int, SiteStatus] = {}
        self.sites: list[int] | None = None
        """All sites."""

    def status(self, site_id: int, at: datetime) -> SiteStatus:
        status = self.statuses.get(site_id)
        if status is None or status.valid_until <= at:
            hours = self.hours[site_id]
            change = hours.next_change(at)
            status = self.statuses[site_id] = SiteStatus(hours.opens_at(at), change, change or NEVER)
        return status


class HoursCache(FeedCache[HoursMemory, []]):
    def is_relevant(self, change: Change) -> bool:
        return change.everything

    def load(self) -> HoursMemory:
        return HoursMemory()

    def statuses(self, site_ids: Collection[int], at: datetime) -> dict[int, SiteStatus]:
        return _statuses(self.get(), site_ids, at)

    def closed(self, site_ids: Collection[int], at: datetime) -> dict[int, datetime]:
        """The closed ones of these sites, with the time at which each opens."""
        return _closed(self.get(), site_ids, at)

    def all_closed(self, at: datetime) -> dict[int, datetime]:
        memory = self.get()
        if memory.sites is None:
            memory.sites = list(Site.objects.values_list("pk", flat=True))
        return _closed(memory, memory.sites, at)


def _statuses(memory: HoursMemory, site_ids: Collection[int], at: datetime) -> dict[int, SiteStatus]:
    missing = [pk for pk in site_ids if pk not in memory.hours]
    if missing:
        memory.hours |= hours_of(missing)
    return {pk: memory.status(pk, at) for pk in site_ids if pk in memory.hours}


def _closed(memory: HoursMemory, site_ids: Collection[int], at: datetime) -> dict[int, datetime]:
    statuses = _statuses(memory, site_ids, at)
    return {pk: status.opens_at for pk, status in statuses.items() if status.opens_at is not None}


@per_process
def hours_cache() -> HoursCache:
    """The open and closed sites, cached by this process."""
    return HoursCache()
