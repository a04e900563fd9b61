"""Instants and addresses, as people and machines are told them."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings


def local(at: datetime, zone: str) -> str:
    """By the clocks of the site, and which those are."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"


def instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def address(path: str) -> str:
    """Where people find it; a path alone while TMS_PUBLIC_URL is not set."""
    return settings.PUBLIC_URL.rstrip("/") + path
