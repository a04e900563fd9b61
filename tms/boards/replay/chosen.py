"""The instant and the range of a replay, from the URL."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Self
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext

from tms.accounts.scope import EVERYTHING, Scope
from tms.boards.formatting import instants
from tms.lib.calendar.local_time import instant
from tms.shifts.period import zone_of

RANGES: Mapping[str, timedelta] = MappingProxyType(
    {
        "1h": timedelta(hours=1),
        "8h": timedelta(hours=8),
        "24h": timedelta(hours=24),
        "7d": timedelta(days=7),
        "30d": timedelta(days=30),
        "1y": timedelta(days=365),
    }
)
DEFAULT = "24h"
OF_ROWS = timedelta(days=7)
"""The longest range of people whose scope has groups: their bars are always counted from the rows."""
SECOND, MICROSECOND = timedelta(seconds=1), timedelta(microseconds=1)
MAX_CHARACTERS = 40
"""Characters of an instant."""
OFFSET_WITHOUT_PLUS = re.compile(r" (?=[0-9]{2}:?[0-9]{2}$)")
"""A plus sign in a URL is a space."""


class WrongInstant(ValueError):
    """There is nothing to show; the message is for people, `nearest` an instant that can be shown."""

    def __init__(self, message: str, nearest: datetime) -> None:
        super().__init__(message)
        self.nearest = nearest


@dataclass(frozen=True, slots=True)
class ChosenInstant:
    at: datetime
    range: str = DEFAULT

    @classmethod
    def of(cls, query: QueryDict, *, earliest: datetime, now: datetime, scope: Scope = EVERYTHING) -> Self:
        """Raises WrongInstant."""
        at = instant_of(query)
        if at is None:
            raise WrongInstant(
                gettext("The instant must be a date and a time with a time zone, such as 2026-11-28T03:12:00+09:00."),
                now - timedelta(hours=1),
            )
        if at > now + SECOND:
            raise WrongInstant(gettext("This instant is in the future. A replay shows the past."), now)
        if at < earliest:
            raise WrongInstant(
                gettext("Nothing was recorded at this instant. The first one that can be replayed is below."), earliest
            )
        chosen = query.get("range", "")
        return cls(min(at, now.replace(microsecond=0)), chosen if chosen in ranges_of(scope) else DEFAULT)

    @property
    def query(self) -> str:
        return query_of(self.at, self.range)

    @property
    def length(self) -> timedelta:
        return RANGES[self.range]

    @property
    def days(self) -> int:
        """The number of days of a range of several days; otherwise 0 or 1."""
        return self.length.days


def ranges_of(scope: Scope) -> list[str]:
    return [name for name, length in RANGES.items() if length <= OF_ROWS or not scope.groups]


def instant_of(query: QueryDict) -> datetime | None:
    """The instant with its offset, or the local time of a zone that is named beside it; None for anything else."""
    text, zone = query.get("at", "")[:MAX_CHARACTERS].strip(), query.get("zone", "")
    # First as a local time: `2026-12-01 09:30` also looks like a date with an offset whose plus became a space.
    found = (_local(text, zone) if zone else None) or instants.parse(OFFSET_WITHOUT_PLUS.sub("+", text))
    try:
        # A second more must exist, too: links are rounded up.
        return (found + SECOND).astimezone(UTC).replace(microsecond=0) - SECOND if found else None
    except OverflowError:
        return None


def query_of(at: datetime, chosen_range: str = DEFAULT) -> str:
    """The parameters of a replay, with which every link continues it: at the first whole second that is not earlier."""
    parameters = {"at": f"{(at + SECOND - MICROSECOND).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"}
    if chosen_range != DEFAULT:
        parameters["range"] = chosen_range
    return urlencode(parameters, safe=":")


def _local(text: str, zone: str) -> datetime | None:
    try:
        wall = datetime.fromisoformat(text)
        return instant(wall, zone_of(zone)) if wall.tzinfo is None else None
    except (ValueError, OverflowError):
        return None
