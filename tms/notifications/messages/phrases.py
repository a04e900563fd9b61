"""Instants and addresses in messages."""

from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings

ALERTS_PATH = "/alerts/"
"""The page of all alerts and incidents."""


def local(at: datetime, zone: str) -> str:
    """Local time of the site, with its zone."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M:%S %Z}"


def instant(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def address(path: str) -> str:
    """Absolute URL; only the path while TMS_PUBLIC_URL is not set."""
    return settings.PUBLIC_URL.rstrip("/") + path
