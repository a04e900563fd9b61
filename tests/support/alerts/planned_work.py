"""Planned work now: a maintenance window, and a site that is closed."""

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone

from tms.accounts.models import User
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.fleet.models import Site
from tms.fleet.models.opening_hours import SpecialDay
from tms.lib.calendar.recurrence import Recurrence

UTC = ZoneInfo("UTC")


def maintain(person: User, *, hours: float = 1, **scope: Any) -> None:
    wall = (timezone.now() - timedelta(minutes=1)).replace(tzinfo=None)
    recurrence = Recurrence(UTC, wall, timedelta(hours=hours))
    services.plan(recurrence, WindowScope(**scope), note="new router", by=person, at=timezone.now())


def close(site: Site) -> None:
    """Close the site for two days around today, in any time zone."""
    today = timezone.now().date()
    SpecialDay.objects.create(site=site, first_on=today - timedelta(days=1), last_on=today + timedelta(days=1))
