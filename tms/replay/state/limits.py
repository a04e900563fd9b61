"""Where the known history begins, and what cannot be known about a past moment."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.utils.translation import gettext

from tms.fleet.models import Terminal
from tms.telemetry.storage.retention import history_horizon


def earliest(now: datetime) -> datetime:
    """The first instant of which everything is known: the start of the history, or the first terminal."""
    first = Terminal.objects.order_by("created_at").values_list("created_at", flat=True).first()
    return max(history_horizon(now), first or now)


class MomentLimit(NamedTuple):
    code: str
    text: str
    """A sentence in the active language."""
    since: datetime | None = None
    """It is known from then on."""


def has_history(at: datetime, *, now: datetime) -> bool:
    return at >= history_horizon(now)


def limits(at: datetime, *, now: datetime, are_members_estimated: bool) -> Iterator[MomentLimit]:
    horizon, readings_since = history_horizon(now), now - timedelta(days=settings.READINGS_DAYS)
    if at < horizon:
        text = gettext("The presence of terminals is not known: changes are kept for %(days)d days.")
        yield MomentLimit("history", text % {"days": settings.HISTORY_DAYS}, horizon)
    if at < readings_since:
        text = gettext("Status and readings are not known: reports are kept for %(days)d days.")
        yield MomentLimit("readings", text % {"days": settings.READINGS_DAYS}, readings_since)
    if are_members_estimated:
        text = gettext("When alerts joined their incidents was not recorded then: they count from the start of each.")
        yield MomentLimit("members", text)
    text = gettext("Opening hours and the names of sites and groups are those of today; deleted terminals are missing.")
    yield MomentLimit("fleet", text)
