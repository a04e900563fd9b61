"""Gauges of the fleet, read from the database on each scrape. Every node exports the same ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

import structlog
from django.db import DatabaseError, InterfaceError
from django.db.models import Count
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from tms.alerts.models import Alert, AlertState
from tms.fleet.lifecycle import COUNTED
from tms.fleet.models import Lifecycle, Presence, TerminalState
from tms.lib.severity import Severity
from tms.metrics import instruments
from tms.ops.collectors.audit import AuditCollector
from tms.ops.collectors.nodes import NodeCollector

if TYPE_CHECKING:
    from tms.server.server import Server

log = structlog.get_logger(__name__)


class FleetCollector(Collector):
    """Number of terminals in each presence, and of unresolved alerts."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Static, because registering must not query the database."""
        yield terminals_family()
        yield lifecycle_family()
        yield alerts_family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            families = [*count_terminals(), count_alerts()]
        except (DatabaseError, InterfaceError) as error:
            log.warning("fleet_gauges_unreadable", error=str(error).strip())
            return
        yield from families


def terminals_family() -> GaugeMetricFamily:
    return GaugeMetricFamily("tms_terminals", "Terminals in service by presence", labels=["presence"])


def lifecycle_family() -> GaugeMetricFamily:
    return GaugeMetricFamily("tms_terminals_lifecycle", "Terminals by lifecycle state", labels=["state"])


def alerts_family() -> GaugeMetricFamily:
    return GaugeMetricFamily("tms_alerts_unresolved", "Unresolved alerts", labels=["severity", "state"])


def count_terminals() -> Iterator[GaugeMetricFamily]:
    """The terminals in service by presence, and all by lifecycle state: one query for both."""
    rows = TerminalState.objects.order_by().values_list("terminal__lifecycle", "presence").annotate(n=Count("pk"))
    presences: Counter[str] = Counter()
    states: Counter[str] = Counter()
    for lifecycle, presence, number in rows:
        states[lifecycle] += number
        presences[presence] += number if lifecycle in COUNTED else 0
    by_presence, by_state = terminals_family(), lifecycle_family()
    for name in Presence.values:
        by_presence.add_metric([name], presences[name])
    for name in Lifecycle.values:
        by_state.add_metric([name], states[name])
    yield by_presence
    yield by_state


def count_alerts() -> GaugeMetricFamily:
    rows = Alert.objects.unresolved().values_list("severity", "state").annotate(n=Count("pk"))
    counted = {(severity, state): n for severity, state, n in rows}
    family = alerts_family()
    for severity in Severity.values:
        for state in (AlertState.OPEN, AlertState.ACKNOWLEDGED, AlertState.SNOOZED):
            family.add_metric([severity, state.value], counted.get((severity, state.value), 0))
    return family


class ServerCollector(Collector):
    """Events of this process's server on sockets, and its connections."""

    def __init__(self, server: Server | None = None) -> None:
        self._server = server

    def describe(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        yield server_events_family()
        yield from connection_families()

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        if self._server is None:
            return
        events = server_events_family()
        for event, number in dict(self._server.counters).items():
            events.add_metric([event], number)
        yield events
        acceptor = self._server.acceptor
        for family, number in zip(connection_families(), (acceptor.inside, acceptor.capacity), strict=True):
            family.add_metric([], number)
            yield family


def server_events_family() -> CounterMetricFamily:
    return CounterMetricFamily("tms_server_events", "Actions of the server on sockets", labels=["event"])


def connection_families() -> tuple[GaugeMetricFamily, GaugeMetricFamily]:
    return (
        GaugeMetricFamily("tms_connections", "Connections open on this node: links, boards, pages"),
        GaugeMetricFamily("tms_connections_limit", "Connections above which this node refuses WebSockets"),
    )


@cache
def register(registry: CollectorRegistry) -> None:
    """Register the collectors once for each registry, however often it is called."""
    for collector in (FleetCollector, NodeCollector, AuditCollector, *instruments.COLLECTORS):
        registry.register(collector())


def watch(server: Server, registry: CollectorRegistry = REGISTRY) -> None:
    """Export metrics of `server` from now on; a process has one."""
    registry.register(ServerCollector(server))
