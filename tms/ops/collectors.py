"""Gauges of the fleet, read from the database when Prometheus asks. Every node gives the same ones."""

from collections.abc import Iterator

import structlog
from django.db import DatabaseError
from django.db.models import Count
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tms.alerts.models import Alert, AlertState
from tms.fleet.models import Presence, TerminalState
from tms.telemetry.models import Severity

log = structlog.get_logger(__name__)


class FleetCollector(Collector):
    """How many terminals are in each presence, and how many alerts are unresolved."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Named here so that registering asks no database."""
        yield terminals_family()
        yield alerts_family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            families = [count_terminals(), count_alerts()]
        except DatabaseError as error:
            log.warning("fleet_gauges_unreadable", error=str(error).strip())
            return
        yield from families


def terminals_family() -> GaugeMetricFamily:
    return GaugeMetricFamily("tms_terminals", "Terminals by presence", labels=["presence"])


def alerts_family() -> GaugeMetricFamily:
    return GaugeMetricFamily("tms_alerts_unresolved", "Unresolved alerts", labels=["severity", "state"])


def count_terminals() -> GaugeMetricFamily:
    counted = dict(TerminalState.objects.values_list("presence").annotate(n=Count("pk")))
    family = terminals_family()
    for presence in Presence.values:
        family.add_metric([presence], counted.get(presence, 0))
    return family


def count_alerts() -> GaugeMetricFamily:
    rows = Alert.objects.unresolved().values_list("severity", "state").annotate(n=Count("pk"))
    counted = {(severity, state): n for severity, state, n in rows}
    family = alerts_family()
    for severity in Severity.values:
        for state in (AlertState.OPEN, AlertState.ACKNOWLEDGED):
            family.add_metric([severity, state.value], counted.get((severity, state.value), 0))
    return family


def register(registry: CollectorRegistry) -> None:
    registry.register(FleetCollector())
