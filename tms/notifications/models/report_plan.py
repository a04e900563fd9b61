"""Plans to send availability reports."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import models

from tms.accounts.scope import ByOwner
from tms.availability.report.months import Month
from tms.lib.calendar.local_time import instant
from tms.lib.text_fields import LineField
from tms.notifications.models.destination import Destination

SENT_AT = time(9)
"""The time on the second of the next month, when the month is over at sites of every time zone."""


class ReportPlanQuerySet(models.QuerySet["ReportPlan"]):
    def due(self, at: datetime) -> Self:
        return self.filter(next_at__lte=at, destination__enabled=True)


class ReportPlan(models.Model):
    """Sends the availability of each month to a destination, after the month."""

    destination = models.OneToOneField(Destination, models.CASCADE, related_name="report_plan", db_constraint=False)
    customer = LineField(max_length=100, blank=True, default="")
    """The customer that the report names; empty for `TMS_CUSTOMER`."""
    next_at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_constraint=False)

    objects = ReportPlanQuerySet.as_manager()
    scope_path = ByOwner("destination")

    class Meta:
        ordering = ("destination__name",)

    def __str__(self) -> str:
        return str(self.destination)


def sent_at(month: Month) -> datetime:
    """When the report of a month is sent, in the time zone of this installation."""
    day = month.shifted(1).first + timedelta(days=1)
    return instant(datetime.combine(day, SENT_AT), ZoneInfo(settings.TIME_ZONE))
