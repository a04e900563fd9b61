"""Log events to CloudWatch Logs, without waiting: what it does not accept is counted and lost, but still on the
console.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from operator import itemgetter
from queue import Queue
from typing import Any

import watchtower
from botocore.exceptions import BotoCoreError, ClientError

from tms.config import aws
from tms.metrics.instruments import LOG_EVENTS_LOST

SEND_EVERY_S = 5
MAX_WAITING = 5_000
LEAVE_S = 5.0
OF_THE_SENDER = ("boto3", "botocore", "urllib3")
"""Loggers used for sending: their records would cause more sending."""


class CloudWatchLogs(watchtower.CloudWatchLogHandler):
    """Watchtower's thread and batches, with limits for the queue and for waiting.

    The log group must exist; the stream is created, one per process name.
    """

    def __init__(self, *, group: str, stream: str) -> None:
        super().__init__(
            log_group_name=group,
            log_stream_name=stream,
            send_interval=SEND_EVERY_S,
            boto3_client=aws.client("logs", attempts=1),
            create_log_group=False,
        )

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith(OF_THE_SENDER):
            return
        waiting = self.queues.get(self.log_stream_name)
        if self.shutting_down or (waiting is not None and waiting.qsize() >= MAX_WAITING):
            LOG_EVENTS_LOST.inc()
            return
        super().emit(record)  # type: ignore[no-untyped-call]

    def flush(self) -> None:
        self._see_off(self.FLUSH)

    def close(self) -> None:
        if not self.shutting_down:
            self.shutting_down = True
            self._see_off(self.END)
        logging.Handler.close(self)

    def _see_off(self, mark: int) -> None:
        """Wait, with a time limit, until all events before `mark` are sent."""
        for queue in self.queues.values():
            queue.put(mark)
            wait_until_done(queue, LEAVE_S)

    def _get_stream_name(self, message: logging.LogRecord) -> str:
        return str(self.log_stream_name)

    def _submit_batch(self, batch: Sequence[dict[str, object]], log_stream_name: str, max_retries: int = 1) -> None:
        """Watchtower's own method retries five times without a pause, and warns each time."""
        if not batch:
            return
        try:
            lost = self._put(sorted(batch, key=itemgetter("timestamp")), log_stream_name)
        except (BotoCoreError, ClientError):
            lost = len(batch)
        if lost:
            LOG_EVENTS_LOST.inc(lost)

    def _put(self, events: Sequence[dict[str, object]], stream: str) -> int:
        """Number of rejected events."""
        client, where = self.cwl_client, {"logGroupName": self.log_group_name, "logStreamName": stream}
        try:
            answer = client.put_log_events(**where, logEvents=events)
        except client.exceptions.ResourceNotFoundException:
            with suppress(client.exceptions.ResourceAlreadyExistsException):
                client.create_log_stream(**where)
            answer = client.put_log_events(**where, logEvents=events)
        return count_refused(answer.get("rejectedLogEventsInfo", {}), len(events))


def count_refused(indexes: dict[str, int], number: int) -> int:
    """How many of `number` events in chronological order were too old or too new."""
    old = max(indexes.get("tooOldLogEventEndIndex", 0), indexes.get("expiredLogEventEndIndex", 0))
    return old + number - indexes.get("tooNewLogEventStartIndex", number)


def wait_until_done(queue: Queue[Any], seconds: float) -> None:
    """`Queue.join` with a timeout."""
    with queue.all_tasks_done:
        queue.all_tasks_done.wait_for(lambda: not queue.unfinished_tasks, seconds)
