"""Counts the late reports that terminals sent after an outage."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

import msgspec
from django.db import connection, models
from django.db.models import Count, ExpressionWrapper, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models.outage import Outage, OutageQuerySet
from tms.fleet.presence.outage_causes import corrected
from tms.lib.db import rows as db_rows
from tms.lib.db.jobs import skip_when_empty
from tms.lib.set_aside import SetAside, isolate
from tms.protocol import limits
from tms.telemetry.models import Report

ARRIVES_WITHIN = timedelta(minutes=2)
A_DAY_BEFORE = Value(timedelta(days=1), output_field=models.DurationField())
"""The search for an outage's reports starts this long before it: partitions are by day, and a clock may be wrong."""
PASS_LIMIT = 1_000

uncountable = SetAside[int]("count_backfill")


class Uncounted(NamedTuple):
    id: int
    terminal_id: int
    ended_at: datetime
    cause: str
    lost_by: str
    has_restarted: bool | None
    reports_made: int | None
    sent: int

    def is_final(self, at: datetime) -> bool:
        is_complete = self.reports_made is not None and self.sent >= self.reports_made
        return is_complete or at >= self.ended_at + ARRIVES_WITHIN


class CountRow(msgspec.Struct, frozen=True, gc=False):
    id: int
    cause: str
    reports_sent: int


def countable(at: datetime) -> OutageQuerySet:
    """The outages whose count may be final: after `ARRIVES_WITHIN` unless the number of reports that were made is
    known.
    """
    is_over = models.Q(ended_at__lte=at - ARRIVES_WITHIN)
    return Outage.objects.uncounted().filter(is_over | models.Q(reports_made__isnull=False))


@skip_when_empty(countable)
def count(at: datetime) -> int:
    """Count the backfill of ended outages (index: outage_uncounted) once it is complete, or after `ARRIVES_WITHIN`."""
    due = countable(at).exclude(pk__in=uncountable.keys(at)).order_by("ended_at")
    pks = list(due.values_list("pk", flat=True)[:PASS_LIMIT])
    return isolate(pks, partial(_count, at=at), aside=uncountable, at=at)


def _count(pks: Collection[int], at: datetime) -> int:
    """Call it in a transaction."""
    final = [outage for outage in _uncounted(pks) if outage.is_final(at)]
    _store([_count_reports(outage) for outage in final])
    if final:
        publish(Change(terminals=frozenset(outage.terminal_id for outage in final)))
    return len(final)


def _count_reports(outage: Uncounted) -> CountRow:
    cause = corrected(
        outage.cause, lost_by=outage.lost_by, has_restarted=outage.has_restarted, sent_by_former_boot=outage.sent
    )
    return CountRow(outage.id, cause, outage.sent)


def _uncounted(pks: Collection[int]) -> Iterable[Uncounted]:
    """Each with the number of reports that its boot made after the last report before the outage."""
    made = Coalesce(OuterRef("reports_made"), Value(limits.SEQ_MAX))
    earliest = ExpressionWrapper(OuterRef("began_at") - A_DAY_BEFORE, output_field=models.DateTimeField())
    sent = (
        Report.objects.filter(boot__terminal=OuterRef("terminal"), boot__boot_id=OuterRef("boot_id"))
        .filter(at__gt=earliest, seq__gt=OuterRef("seq"), seq__lte=OuterRef("seq") + made)
        .order_by()
        .values("boot")
        .annotate(n=Count("*"))
        .values("n")
    )
    uncounted = Outage.objects.uncounted().filter(pk__in=pks).order_by("ended_at")
    rows = uncounted.annotate(sent=Coalesce(Subquery(sent), 0))
    return [Uncounted(*row) for row in rows.values_list(*Uncounted._fields)]


def _store(rows: Sequence[CountRow]) -> None:
    """Store the counts in one statement, because after the loss of a node thousands of outages are counted."""
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {Outage._meta.db_table} AS o SET cause = r.cause, reports_sent = r.reports_sent "
            f"FROM {db_rows.source(CountRow)} WHERE o.id = r.id AND o.reports_sent IS NULL",
            [db_rows.encode(rows)],
        )
