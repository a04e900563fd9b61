"""The period of a page or report. It is part of the URL, so a link shows a colleague the same period."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict

from tms.lib.calendar.local_time import instant, local_time
from tms.lib.calendar.time_zones import zone_named
from tms.rest_base.schemas import BEGIN, END

MAX_ZONE_LENGTH = 64
FORMAT = "%Y-%m-%d %H:%M"
PRESETS = MappingProxyType(
    {"8h": timedelta(hours=8), "12h": timedelta(hours=12), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
)
"""The presets of the shift digest."""
DEFAULT = "8h"
MAX_PERIOD = timedelta(days=31)
"""The longest period of a shift digest."""
ALL_TIME = END - BEGIN


@dataclass(frozen=True, slots=True)
class Period:
    """A period from `since` to before `until`. `preset` names a length that ends now; `zone` is the time zone of the
    inputs.
    """

    since: datetime
    until: datetime
    preset: str = ""
    zone: str = ""
    is_invalid: bool = False
    """The period in the URL is invalid: this is the default one instead."""

    @classmethod
    def of(
        cls,
        query: QueryDict,
        presets: Mapping[str, timedelta],
        *,
        default: str,
        at: datetime,
        longest: timedelta = ALL_TIME,
    ) -> Self:
        if query.get("since") or query.get("until"):
            given = cls.between(query, at=at, longest=longest)
            return given or cls.lasting(default, presets, at=at, is_invalid=True)
        preset = query.get("span", "")
        return cls.lasting(preset if preset in presets else default, presets, at=at)

    @classmethod
    def of_digest(cls, query: QueryDict, *, at: datetime) -> Self:
        """The period of a shift digest."""
        return cls.of(query, PRESETS, default=DEFAULT, at=at, longest=MAX_PERIOD)

    @classmethod
    def lasting(cls, preset: str, presets: Mapping[str, timedelta], *, at: datetime, is_invalid: bool = False) -> Self:
        return cls(at - presets[preset], at, preset=preset, is_invalid=is_invalid)

    @classmethod
    def between(cls, query: QueryDict, *, at: datetime, longest: timedelta = ALL_TIME) -> Self | None:
        """The period between local times in `zone`, by default `TMS_TIME_ZONE`. None if they are invalid, or too far
        apart.
        """
        zone = zone_of(query.get("zone", ""))
        since, until = (_instant(query.get(name, ""), zone) for name in ("since", "until"))
        until = until or at
        return cls(since, until, zone=zone.key) if since and is_period(since, until, longest=longest) else None

    @property
    def query(self) -> str:
        if self.preset:
            return urlencode({"span": self.preset})
        return urlencode({"since": self.since_shown, "until": self.until_shown, "zone": self.clocks.key})

    @property
    def clocks(self) -> ZoneInfo:
        return zone_of(self.zone)

    @property
    def since_shown(self) -> str:
        return f"{local_time(self.since, self.clocks):{FORMAT}}"

    @property
    def until_shown(self) -> str:
        return f"{local_time(self.until, self.clocks):{FORMAT}}"


def is_period(since: datetime, until: datetime, *, longest: timedelta = ALL_TIME) -> bool:
    """Whether the end is after the start, by at most `longest`, and both are from 2000 to 2100, as in REST."""
    return BEGIN <= since < until <= END and until - since <= longest


def zone_of(name: str) -> ZoneInfo:
    """The time zone with this name, by default `TMS_TIME_ZONE`."""
    return zone_named(name[:MAX_ZONE_LENGTH]) or ZoneInfo(settings.TIME_ZONE)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    """Parses `2026-11-25T06:00`, or a date for its midnight."""
    try:
        wall = datetime.fromisoformat(text)
        return wall.astimezone(UTC) if wall.tzinfo else instant(wall, zone)
    except (ValueError, OverflowError):
        return None
