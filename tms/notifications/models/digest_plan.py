"""Plans to send shift digests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models

from tms.accounts.scope import ByOwner
from tms.lib.calendar.local_time import instant, local_time
from tms.notifications.models.destination import Destination

TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
SEPARATORS = re.compile(r"[\s,;、]+")
MAX_TIMES = 12
DAYS_AROUND = (-2, -1, 0, 1, 2)


class DigestPlanQuerySet(models.QuerySet["DigestPlan"]):
    def due(self, at: datetime) -> Self:
        return self.filter(next_at__lte=at, destination__enabled=True)


class DigestPlan(models.Model):
    """Sends the digest of each shift to a destination, when the shift ends."""

    destination = models.OneToOneField(Destination, models.CASCADE, related_name="digest_plan")
    times = models.CharField(max_length=100)
    """Local times at which shifts end: `06:00 14:00 22:00`."""
    time_zone = models.CharField(max_length=64)
    covered_until = models.DateTimeField()
    """The next one covers the time since."""
    next_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    objects = DigestPlanQuerySet.as_manager()
    scope_path = ByOwner("destination")

    class Meta:
        ordering = ("destination__name",)

    def __str__(self) -> str:
        return f"{self.destination} {self.times}"

    def ends_after(self, at: datetime) -> datetime:
        """The end of the shift that is in progress at `at`."""
        return next(end for end in self._ends(at) if end > at)

    def ended_by(self, at: datetime) -> datetime:
        """The end of the last shift that ended by `at`."""
        return [end for end in self._ends(at) if end <= at][-1]

    def _ends(self, at: datetime) -> Iterator[datetime]:
        """Shift ends around `at`, in order. If clocks skip such a time it is the instant of the change; if they repeat
        it, the first.
        """
        zone = ZoneInfo(self.time_zone)
        today = local_time(at, zone).date()
        local_ends = (
            datetime.combine(today + timedelta(days=days), one) for days in DAYS_AROUND for one in clock(self.times)
        )
        yield from sorted({instant(wall, zone) for wall in local_ends})


def clock(times: str) -> list[time]:
    """Times of day in a text, in order, without repetitions. Raises ValueError."""
    found = [TIME.fullmatch(word) for word in SEPARATORS.split(times.strip())]
    if None in found:
        raise ValueError(times)
    return sorted({time(int(one[1]), int(one[2])) for one in found if one})
