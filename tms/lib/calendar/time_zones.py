"""Time zones: the ones to choose from, and the one of a name."""

from functools import cache
from zoneinfo import ZoneInfo, available_timezones

AREAS = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@cache
def named_zones() -> tuple[str, ...]:
    """The zones that people choose from: `Area/City`, and UTC. Without abbreviations and former names of countries."""
    return ("UTC", *sorted(zone for zone in available_timezones() if zone.partition("/")[0] in AREAS))


def zone_named(name: str) -> ZoneInfo | None:
    """The zone, or None if this system does not know it: names come from browsers, or are older than its data."""
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):  # a path, a folder, an unknown zone
        return None


def zone_choices(*stored: str) -> list[tuple[str, str]]:
    """The choices of a form. A zone that was stored with other data about zones stays one."""
    return [(zone, zone) for zone in sorted({*named_zones(), *filter(None, stored)})]
