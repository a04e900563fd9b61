"""From when to when a page looks back. It lives in the address: a link shows a colleague the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Self
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import QueryDict

from tms.lib.calendar.local_time import instant, shown

ZONES_AT_MOST = 64
FORMAT = "%Y-%m-%dT%H:%M"
PRESETS = MappingProxyType(
    {"8h": timedelta(hours=8), "12h": timedelta(hours=12), "24h": timedelta(hours=24), "7d": timedelta(days=7)}
)
"""Of the digest of a shift."""
USUAL = "8h"


@dataclass(frozen=True, slots=True)
class Period:
    """`since` until before `until`. `preset` names a length that ends now, `zone` the clocks."""

    since: datetime
    until: datetime
    preset: str = ""
    zone: str = ""
    is_wrong: bool = False
    """What the address says makes no sense: this is the usual span instead."""

    @classmethod
    def of(cls, query: QueryDict, presets: Mapping[str, timedelta], *, usual: str, at: datetime) -> Self:
        if query.get("since") or query.get("until"):
            return cls.between(query, at=at) or cls.lasting(usual, presets, at=at, is_wrong=True)
        preset = query.get("span", "")
        return cls.lasting(preset if preset in presets else usual, presets, at=at)

    @classmethod
    def lasting(cls, preset: str, presets: Mapping[str, timedelta], *, at: datetime, is_wrong: bool = False) -> Self:
        return cls(at - presets[preset], at, preset=preset, is_wrong=is_wrong)

    @classmethod
    def between(cls, query: QueryDict, *, at: datetime) -> Self | None:
        """As clocks on a wall show it in `zone`, else in the time zone of TMS. None if it cannot be read."""
        zone = zone_of(query.get("zone", ""))
        since, until = (_instant(query.get(name, ""), zone) for name in ("since", "until"))
        until = until or at
        return cls(since, until, zone=zone.key) if since and since < until else None

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
        return f"{shown(self.since, self.clocks):{FORMAT}}"

    @property
    def until_shown(self) -> str:
        return f"{shown(self.until, self.clocks):{FORMAT}}"


def zone_of(name: str) -> ZoneInfo:
    """That of TMS if there is none of this name."""
    try:
        return ZoneInfo(name[:ZONES_AT_MOST] or settings.TIME_ZONE)
    except (ValueError, OSError, KeyError):  # no such zone; a name that is a path
        return ZoneInfo(settings.TIME_ZONE)


def _instant(text: str, zone: ZoneInfo) -> datetime | None:
    """`2026-11-25T06:00`, or a day alone for its beginning."""
    try:
        wall = datetime.fromisoformat(text)
        return wall.astimezone(UTC) if wall.tzinfo else instant(wall, zone)
    except (ValueError, OverflowError):
        return None
