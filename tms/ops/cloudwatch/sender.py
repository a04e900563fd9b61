"""Sends data to CloudWatch from its own thread, in order, until they are accepted or too old."""

import random
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from typing import Any, NamedTuple

import structlog

from tms.config import aws
from tms.lib.db.clock import db_clock
from tms.metrics import instruments
from tms.ops.cloudwatch.measures import Distribution, Measured
from tms.ops.cloudwatch.table import Unit

log = structlog.get_logger(__name__)

MAX_DATA, MAX_BYTES = 1_000, 1_000_000
"""Maximum bytes of one request (PutMetricData takes 1 MB), estimated generously."""
MAX_WAITING = 20_000
"""How many data wait at most: about a day of a process that measures once a minute."""
OLDEST = timedelta(days=14)
"""CloudWatch rejects older data, and data in the future."""
FIRST_PAUSE_S, MAX_PAUSE_S = 1.0, 60.0
LEAVE_S = 2.0

REFUSALS = frozenset({"InvalidParameterCombination", "InvalidParameterValue", "MissingParameter", "ValidationError"})
"""Errors that a retry would not fix."""


class Datum(NamedTuple):
    name: str
    unit: Unit
    at: datetime
    measured: Measured

    @property
    def weight(self) -> int:
        """Larger than a request may be."""
        numbers = len(self.measured.values) if isinstance(self.measured, Distribution) else 1
        return 400 + 150 * numbers

    def wire(self, now: datetime) -> dict[str, Any]:
        """The datum in the form of PutMetricData."""
        fields: dict[str, Any] = {"MetricName": self.name, "Unit": self.unit.value, "Timestamp": min(self.at, now)}
        if isinstance(self.measured, Distribution):
            return fields | {"Values": list(self.measured.values), "Counts": list(self.measured.counts)}
        return fields | {"Value": self.measured}


class RejectedByCloudWatch(Exception):
    """CloudWatch rejected the data as invalid."""


type Put = Callable[[Sequence[Mapping[str, Any]]], None]
"""Sends one request's data. Raises RejectedByCloudWatch, or the error that prevented it."""


class Sender:
    """The queue and its thread. Any thread may add; only `stop` blocks."""

    def __init__(self, put: Put, *, now: Callable[[], datetime] | None = None) -> None:
        self._put, self._now = put, now or db_clock().now
        self._waiting: deque[Datum] = deque()
        self._changed = threading.Condition()
        self._is_stopping = False
        self._is_away = False
        self._thread = threading.Thread(target=self._send_forever, name="cloudwatch-sender", daemon=True)

    def start(self) -> None:
        instruments.BRIDGE_LAG.set_function(self.lag_s)
        self._thread.start()

    def stop(self) -> None:
        """Try once more to send what is queued, if CloudWatch responds quickly."""
        with self._changed:
            self._is_stopping = True
            self._changed.notify()
        self._thread.join(LEAVE_S)
        if self._waiting:
            log.warning("cloudwatch_left_unsent", data=len(self._waiting))

    def offer(self, data: Sequence[Datum]) -> None:
        with self._changed:
            self._waiting.extend(data)
            self._drop(len(self._waiting) - MAX_WAITING, cause="overflow")
            self._changed.notify()

    def lag_s(self) -> float:
        """Age of the oldest data that CloudWatch has not accepted yet."""
        with self._changed:
            return max(0.0, (self._now() - self._waiting[0].at).total_seconds()) if self._waiting else 0.0

    def _send_forever(self) -> None:
        pauses = back_off()
        while batch := self._next():
            if self._hand_over(batch):
                pauses = back_off()
            elif self._is_stopping:
                return
            else:
                self._pause(next(pauses))

    def _next(self) -> list[Datum]:
        """The oldest queued data that fit in one request. Empty if the thread has to stop and nothing is queued."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._is_stopping)
            oldest = self._now() - OLDEST
            self._drop(sum(datum.at <= oldest for datum in self._waiting), cause="old")
            return one_request(self._waiting)

    def _pause(self, seconds: float) -> None:
        """Wait before the next attempt. A stop ends the wait."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_stopping, seconds)

    def _hand_over(self, batch: Sequence[Datum]) -> bool:
        """Whether CloudWatch responded, even with a rejection."""
        now = self._now()
        try:
            self._put([datum.wire(now) for datum in batch])
        except RejectedByCloudWatch as error:
            log.error("cloudwatch_refused", error=str(error), data=len(batch))
            self._drop_batch(batch)
            instruments.BRIDGE_LOST.labels("refused").inc(len(batch))
        except Exception as error:  # noqa: BLE001  (of boto3 there are many kinds; each means that nothing arrived)
            instruments.BRIDGE_FAILURES.inc()
            self._log_change(is_away=True, error=repr(error))
            return False
        else:
            self._drop_batch(batch)
            instruments.BRIDGE_SENT.inc(len(batch))
        self._log_change(is_away=False)
        return True

    def _drop_batch(self, batch: Sequence[Datum]) -> None:
        """Some of the sent data may have been dropped meanwhile."""
        done = set(map(id, batch))
        with self._changed:
            while self._waiting and id(self._waiting[0]) in done:
                self._waiting.popleft()

    def _drop(self, number: int, *, cause: str) -> None:
        """Drop the oldest `number`."""
        for _ in range(number):
            self._waiting.popleft()
        if number > 0:
            instruments.BRIDGE_LOST.labels(cause).inc(number)

    def _log_change(self, *, is_away: bool, **facts: str) -> None:
        """Log a change of state only."""
        if is_away != self._is_away:
            self._is_away = is_away
            log.warning("cloudwatch_away" if is_away else "cloudwatch_back", **facts)


def one_request(waiting: Sequence[Datum] | deque[Datum]) -> list[Datum]:
    batch: list[Datum] = []
    weight = 0
    for datum in islice(waiting, MAX_DATA):
        weight += datum.weight
        if weight > MAX_BYTES and batch:
            break
        batch.append(datum)
    return batch


def back_off() -> Iterator[float]:
    """Delays before further attempts: exponential with jitter, so that many processes do not retry together."""
    pause = FIRST_PAUSE_S
    while True:
        yield random.uniform(pause / 2, pause)
        pause = min(2 * pause, MAX_PAUSE_S)


class CloudWatch:
    """The real client, created with the first data in the sending thread."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._client: Any = None

    def __call__(self, data: Sequence[Mapping[str, Any]]) -> None:
        if self._client is None:
            self._client = aws.client("cloudwatch", attempts=1)  # we pause between attempts ourselves
        try:
            self._client.put_metric_data(Namespace=self._namespace, MetricData=data)
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in REFUSALS:
                raise RejectedByCloudWatch(str(error)) from error
            raise
