"""Prometheus to CloudWatch: once a minute each process measures its rows of the table.

It uses the database clock at whole minutes, so that values of many processes fall into one period and can be summed.
"""

import threading
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection
from prometheus_client import REGISTRY, CollectorRegistry

from tms.lib.db.clock import db_clock
from tms.metrics import instruments
from tms.ops.cloudwatch.measures import MetricSample, Samples, total
from tms.ops.cloudwatch.sender import CloudWatch, Datum, Sender
from tms.ops.cloudwatch.table import TABLE, Row, SentBy
from tms.ops.collectors import fleet

log = structlog.get_logger(__name__)

LATE_S = 0.1
"""Delay after the start of the minute, so that a small clock correction does not cause a second measurement."""
LEAVE_S = 1.0


class Bridge:
    """`serves`: whether this process has sockets. After any error it continues with the next minute."""

    def __init__(self, sender: Sender, *, serves: bool, every_s: float = 60.0) -> None:
        self._sender, self._every_s = sender, every_s
        own = {SentBy.PROCESS, SentBy.NODE} if serves else {SentBy.PROCESS}
        self._own = [row for row in TABLE if row.sent_by in own]
        self._fleets = [row for row in TABLE if row.sent_by is SentBy.LEADER]
        self._fleet = fleet_registry()
        self._before: Samples = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._measure_forever, name="cloudwatch-bridge", daemon=True)

    def start(self) -> None:
        self._sender.start()
        self._thread.start()

    def stop(self) -> None:
        """Send the increases since the last minute. Blocks for seconds."""
        self._stopping.set()
        self._thread.join(LEAVE_S)
        self._sender.stop()

    def measure(self, at: datetime, *, is_last: bool = False) -> None:
        """The last time, gauges are left out: this minute has them already."""
        rows = [row for row in self._own if not (is_last and row.measure.is_level)]
        samples = read(REGISTRY, names_of(rows))
        self._sender.offer(data(rows, samples, before=self._before, at=at))
        self._before = samples
        if not is_last and leads():
            self._sender.offer(data(self._fleets, read(self._fleet, names_of(self._fleets)), before={}, at=at))

    def _measure_forever(self) -> None:
        while not self._stopping.wait(self._pause_s(db_clock().now())):
            self._try_to_measure()
        self._try_to_measure(is_last=True)

    def _try_to_measure(self, *, is_last: bool = False) -> None:
        try:
            self.measure(self._minute(db_clock().now()), is_last=is_last)
        except Exception:
            instruments.BRIDGE_FAILURES.inc()
            log.exception("bridge_failed")
        finally:
            connection.close()  # of this thread

    def _pause_s(self, now: datetime) -> float:
        return self._every_s - now.timestamp() % self._every_s + LATE_S

    def _minute(self, now: datetime) -> datetime:
        """The start of the minute of `now`: never in the future."""
        return now - timedelta(seconds=now.timestamp() % self._every_s)


def fleet_registry() -> CollectorRegistry:
    """What the leader sends for all processes, from the database, and its own lag."""
    registry = CollectorRegistry()
    fleet.register(registry)
    registry.register(instruments.CLOCK_LAG)
    return registry


def leads() -> bool:
    """Whether the clock of this process leads: it holds the lock of `tms.clock.leader`."""
    return bool(total(read(REGISTRY, {"tms_clock_leads"}).get("tms_clock_leads", ())))


def names_of(rows: Iterable[Row]) -> frozenset[str]:
    return frozenset[str]().union(*(row.measure.names for row in rows))


def read(registry: CollectorRegistry, names: Collection[str]) -> Samples:
    """Read the metrics `names` only, so that no collector queries the database in vain."""
    samples: dict[str, list[MetricSample]] = {}
    for family in registry.restricted_registry(names).collect():
        for sample in family.samples:
            samples.setdefault(sample.name, []).append(MetricSample(sample.labels, sample.value))
    return samples


def data(rows: Iterable[Row], samples: Samples, *, before: Samples, at: datetime) -> Sequence[Datum]:
    measured = ((row, row.measure.of(samples, before=before)) for row in rows)
    return [Datum(row.name, row.unit, at, value) for row, value in measured if value is not None]


def create_bridge(*, serves: bool) -> Bridge | None:
    """The bridge to CloudWatch; None without TMS_CLOUDWATCH_NAMESPACE."""
    if not settings.CLOUDWATCH_NAMESPACE:
        return None
    sender = Sender(CloudWatch(settings.CLOUDWATCH_NAMESPACE))
    return Bridge(sender, serves=serves, every_s=settings.CLOUDWATCH_INTERVAL_S)
