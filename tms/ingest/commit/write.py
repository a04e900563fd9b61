"""Commits a batch: what fits in one statement, the rest in a transaction."""

from collections.abc import Sequence

from django.conf import settings

from tms.alerts.rules.cache import rule_cache
from tms.feed.publisher import publish
from tms.fleet.presence import store
from tms.ingest.batch_result import BatchResult
from tms.ingest.commit import online_reports
from tms.ingest.commit.transaction import write_in_transaction
from tms.ingest.items import Item
from tms.metrics import instruments


def write(items: Sequence[Item]) -> BatchResult:
    """Commit `items`. On return everything in the result is durable and every `Booted` has its outcome.

    What fits is committed by one statement first, the rest in a transaction. Items of one terminal are never divided.
    """
    rule_cache().get()  # sessions evaluate reports by it
    written = online_reports.write(items, timing := store.timing())
    if written.terminals:
        publish(written.change)
        instruments.INGEST_REPORTS.labels("committed").inc(written.inserted)
    result = write_in_transaction(written.rest) if written.rest else BatchResult({}, timing, settings.NODE)
    result.reports += written.reports
    return result
