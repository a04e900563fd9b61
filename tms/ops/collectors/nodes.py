"""Gauges of the nodes, read from the database on each scrape. Every node exports the same ones."""

from collections.abc import Iterator
from datetime import timedelta

import structlog
from django.db import DatabaseError, InterfaceError
from django.db.models import Count
from django.db.models.functions import Now
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tms.fleet.models.node import Node, NodeState
from tms.fleet.nodes import dropped_terminals
from tms.lib.db.clock import db_clock

LOST_SHOWN_FOR = timedelta(hours=1)

log = structlog.get_logger(__name__)


class NodeCollector(Collector):
    """Number of nodes in each state, and of the terminals that they dropped."""

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Static, because registering must not query the database."""
        yield nodes_family()
        yield dropped_family()

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            families = [count_nodes(), count_dropped()]
        except (DatabaseError, InterfaceError) as error:
            log.warning("node_gauges_unreadable", error=str(error).strip())
            return
        yield from families


def nodes_family() -> GaugeMetricFamily:
    return GaugeMetricFamily("tms_nodes", "Server processes by state", labels=["state"])


def dropped_family() -> GaugeMetricFamily:
    return GaugeMetricFamily(
        "tms_dropped_terminals", "Terminals that lost their node lately, until all are back", labels=["state"]
    )


def count_nodes() -> GaugeMetricFamily:
    """Nodes lost longer ago are left out: their host was replaced by one of another name."""
    shown = Node.objects.exclude(state=NodeState.LOST, heartbeat_at__lt=Now() - LOST_SHOWN_FOR)
    counted = dict(shown.order_by().values_list("state").annotate(n=Count("pk")))
    family = nodes_family()
    for state in NodeState.values:
        family.add_metric([state], counted.get(state, 0))
    return family


def count_dropped() -> GaugeMetricFamily:
    followed = dropped_terminals.recovery_of(db_clock().now())
    family = dropped_family()
    for state in ("back", "awaited", "missing"):
        family.add_metric([state], sum(getattr(loss, state) for loss in followed))
    return family
