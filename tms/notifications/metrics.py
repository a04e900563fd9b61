"""Gauges of deliveries, read on each scrape."""

from collections.abc import Iterator

import structlog
from django.db import DatabaseError, InterfaceError
from django.db.models import Min
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tms.lib.db.clock import db_clock
from tms.metrics import instruments
from tms.notifications.models.delivery import Delivery, DeliveryState
from tms.notifications.transports import TRANSPORTS

OUTCOMES = (DeliveryState.SENT, DeliveryState.DEAD, DeliveryState.WITHDRAWN, "retried")

log = structlog.get_logger(__name__)


class DeliveryCollector(Collector):
    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Registering must not query the database."""
        yield GaugeMetricFamily(
            "tms_delivery_oldest_waiting_seconds", "How long the longest waiting delivery is overdue; 0 when none is"
        )

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            # Deliveries of a disabled destination wait until it is enabled.
            waiting = Delivery.objects.filter(state=DeliveryState.WAITING, destination__enabled=True)
            oldest = waiting.aggregate(oldest=Min("due_at"))["oldest"]
        except (DatabaseError, InterfaceError) as error:
            log.warning("delivery_gauges_unreadable", error=str(error).strip())
            return
        for family in self.describe():
            family.add_metric([], max(0.0, (db_clock().now() - oldest).total_seconds()) if oldest else 0.0)
            yield family


def begin_at_zero() -> None:
    """A counter without a first sample shows no increase: give each one."""
    for kind in TRANSPORTS:
        for outcome in OUTCOMES:
            instruments.DELIVERIES.labels(kind, str(outcome))
