"""The SLO recorder: once a minute each process adds its observations to a shared table."""

import threading
from collections.abc import Mapping
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, InterfaceError, connection
from prometheus_client import REGISTRY, CollectorRegistry

from tms.lib.db.clock import db_clock
from tms.ops.cloudwatch.bridge import read
from tms.ops.cloudwatch.measures import MetricSample, buckets, differences, finite
from tms.ops.models import Observed, SloSample

log = structlog.get_logger(__name__)

EVERY_S = 60.0
SLOT = timedelta(minutes=10)
RETENTION = timedelta(days=35)
NAME = "tms_slo_seconds_bucket"

type Key = tuple[str, str]
"""An indicator and an outcome."""
type Counts = Mapping[Key, Mapping[float, float]]


class SloRecorder:
    """Observations that could not be written are retried a minute later; a killed process loses its last minute."""

    def __init__(self, registry: CollectorRegistry = REGISTRY, every_s: float = EVERY_S) -> None:
        self._registry, self._every_s = registry, every_s
        self._before: Counts = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._write_forever, name="slo", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write the rest. Blocks for one statement."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def write(self, at: datetime) -> int:
        """Add what was observed since the last call; returns the number of observations."""
        counts = count_observations(self._registry)
        fresh = _since(self._before, counts)
        if fresh:
            SloSample.objects.add(fresh, since=slot(at))
        self._before = counts
        return sum(one.number for one in fresh)

    def _write_forever(self) -> None:
        while not self._stopping.wait(self._every_s):
            self._try_to_write()
        self._try_to_write()

    def _try_to_write(self) -> None:
        try:
            self.write(db_clock().now())
        except Exception as error:  # the next minute must follow
            is_away = isinstance(error, DatabaseError | InterfaceError)
            log.warning("slo_unwritten", error=str(error).strip(), exc_info=None if is_away else error)
        finally:
            connection.close()  # of this thread


def purge(at: datetime) -> int:
    """Delete samples that are older than any page shows."""
    deleted, _ = SloSample.objects.filter(since__lt=at - RETENTION).delete()
    return deleted


def slot(at: datetime) -> datetime:
    """The start of the ten minutes that contain `at`."""
    return at - timedelta(seconds=at.timestamp() % SLOT.total_seconds())


def count_observations(registry: CollectorRegistry) -> Counts:
    """Number of observations in each bucket."""
    grouped: dict[Key, list[MetricSample]] = {}
    for sample in read(registry, {NAME}).get(NAME, ()):
        grouped.setdefault((sample.labels["indicator"], sample.labels["outcome"]), []).append(sample)
    return {key: dict(finite(differences(buckets(samples)))) for key, samples in grouped.items()}


def _since(before: Counts, now: Counts) -> list[Observed]:
    return [
        Observed(indicator, outcome, bound, int(number - before.get((indicator, outcome), {}).get(bound, 0.0)))
        for (indicator, outcome), numbers in now.items()
        for bound, number in numbers.items()
        if number > before.get((indicator, outcome), {}).get(bound, 0.0)
    ]
