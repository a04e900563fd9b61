"""Maintenance windows and opening hours."""

from datetime import time, timedelta
from zoneinfo import ZoneInfo

from tests.support.builders import Fleet, later
from tms.alerts.maintenance import services
from tms.alerts.maintenance.services import WindowScope
from tms.alerts.models import Alert
from tms.alerts.models.maintenance import Window
from tms.fleet.models.opening_hours import OpeningHours
from tms.lib.calendar.recurrence import Recurrence

TOKYO = ZoneInfo("Asia/Tokyo")


def plan_maintenance(fleet: Fleet, alert: Alert, *, starts: float = 0, hours: float = 1) -> Window:
    wall = later(starts).astimezone(TOKYO).replace(tzinfo=None)
    recurrence = Recurrence(TOKYO, wall, timedelta(hours=hours))
    return services.plan(
        recurrence, WindowScope(terminals=[alert.terminal]), note="", by=fleet.person("mei"), at=later(min(starts, 0))
    )


def set_opening_hours(fleet: Fleet, opens: int, closes: int) -> None:
    """Each day, in Tokyo, where AT is 18:00."""
    OpeningHours.objects.bulk_create(
        OpeningHours(site=fleet.site(), weekday=weekday, opens_at=time(opens), closes_at=time(closes))
        for weekday in range(7)
    )
