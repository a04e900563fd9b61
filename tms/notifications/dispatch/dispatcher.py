"""Sends what is due: one thread per destination, so that a slow one delays no other."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import datetime, timedelta

import structlog
from django.db import DatabaseError, InterfaceError, connection

from tms.lib.db.clock import db_clock
from tms.notifications.destinations.send import send
from tms.notifications.dispatch import leases, results
from tms.notifications.dispatch.threads import in_thread
from tms.notifications.messages import message_of
from tms.notifications.models.delivery import Delivery
from tms.notifications.push.browsers import visible_items
from tms.notifications.transports import SendResult

log = structlog.get_logger(__name__)

WORKERS = 16
DRAIN_FOR = timedelta(seconds=2)
"""Limits one run, so that other destinations get the thread and a stopping process need not wait."""


class Dispatcher:
    """The workers of one process."""

    def __init__(self, workers: Executor | None = None, now: Callable[[], datetime] | None = None) -> None:
        self._workers = workers or ThreadPoolExecutor(WORKERS, thread_name_prefix="dispatch")
        self._now = now or db_clock().now
        self._busy: set[int] = set()
        self._lock = threading.Lock()

    def dispatch(self, at: datetime) -> None:
        """Start draining each destination that has due deliveries, without waiting."""
        for destination_id in leases.destinations_due(at):
            with self._lock:
                if destination_id in self._busy:
                    continue
                self._busy.add(destination_id)
            self._workers.submit(self._drain_destination, destination_id)

    def _drain_destination(self, destination_id: int) -> None:
        try:
            drain(destination_id, now=self._now)
        except (DatabaseError, InterfaceError) as error:
            # Its lease expires.
            log.warning("dispatch_database_away", destination=destination_id, error=repr(error))
        except Exception:
            log.exception("dispatch_failed", destination=destination_id)
        finally:
            with self._lock:
                self._busy.discard(destination_id)
            connection.close()


def drain(destination_id: int, *, now: Callable[[], datetime]) -> None:
    """Send what is due there, one after the other, until an attempt has to be retried."""
    until = now() + DRAIN_FOR
    while (at := now()) <= until and (delivery := leases.acquire(destination_id, at=at)) is not None:
        result = _attempt(delivery)
        log.info(
            "delivery_attempted",
            delivery=delivery.pk,
            destination=destination_id,
            attempt=delivery.attempts,
            outcome=result.outcome.value,
        )
        # The order of deliveries is kept: nothing overtakes one that has to be retried.
        if not results.record_result(delivery, result, at=now()):
            return


def _attempt(delivery: Delivery) -> SendResult:
    if not _may_be_seen(delivery):
        return SendResult.failed("The person of the browser may no longer see what it is about")
    try:
        message = in_thread(message_of(delivery), delivery)
    except Exception as error:
        log.exception("delivery_unreadable", delivery=delivery.pk)
        return SendResult.failed(f"TMS cannot compose this message: {type(error).__name__}")
    return send(delivery.destination, message)


def _may_be_seen(delivery: Delivery) -> bool:
    """Whether its recipient may still see the delivery. Before the first attempt this was just checked; a later one
    may be hours after it.
    """
    if delivery.attempts == 1 or not delivery.destination.is_browser:
        return True
    items = list(delivery.items.all())
    return len(visible_items(delivery.destination, items)) == len(items)
