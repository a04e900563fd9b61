"""Compares recorded moments with their replays."""

from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
import structlog
from django.conf import settings
from django.db.models import Count, Max, Q

from tms.accounts.models import User
from tms.lib.set_aside import each
from tms.metrics import instruments
from tms.replay.models import RecordedMoment
from tms.replay.models.recorded_moment import Comparison
from tms.replay.recorded.shown_state import Existed, ShownState, differences, replayed
from tms.replay.state import Moment
from tms.replay.visibility import Visibility

log = structlog.get_logger(__name__)

SETTLED = timedelta(seconds=10)
"""The transactions that were in progress at a recorded moment have ended."""
PER_PASS = 100
EXPIRED_ROWS = 1_000

for _result in Comparison:
    # From zero: otherwise the first difference would not be a rise.
    instruments.REPLAY_COMPARISONS.labels(_result.value)


class ComparisonSummary(NamedTuple):
    """Totals of the recorded moments that are kept."""

    compared_at: datetime
    equal: int
    differs: int


def compare_new(at: datetime) -> int:
    """One pass of the clock: compares recorded moments once, and deletes old ones. Returns how many were compared."""
    expire(at)
    rows = list(RecordedMoment.objects.uncompared().filter(at__lt=at - SETTLED).order_by("pk")[:PER_PASS])
    each(rows, lambda row: compare(row, at=at), loop="replay_compare")
    return len(rows)


def compare(row: RecordedMoment, *, at: datetime) -> Comparison:
    """Replay the moment as it was committed then, and store the result."""
    moment = Moment(row.at, now=at, visibility=msgspec.convert(row.visible, Visibility))
    replay = replayed(moment)
    shown = msgspec.convert(row.shown, ShownState)
    result = Comparison.EQUAL
    if replay.digest != row.digest:
        result = Comparison.DELETED if _is_deleted(row, moment) else Comparison.DIFFERS
    text = "" if result is Comparison.EQUAL else "; ".join(differences(shown, replay)) or "people or incidents differ"
    RecordedMoment.objects.filter(pk=row.pk).update(compared_at=at, result=result, difference=text)
    instruments.REPLAY_COMPARISONS.labels(result.value).inc()
    if result is Comparison.DIFFERS:
        log.warning("replay_differs", at=row.at.isoformat(), node=row.node, difference=text)
    return result


def expire(at: datetime) -> None:
    old = RecordedMoment.objects.filter(at__lt=at - timedelta(days=settings.REPLAY_RECORD_DAYS)).order_by("at")
    RecordedMoment.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:EXPIRED_ROWS])).delete()


def newest_comparison() -> ComparisonSummary | None:
    """The summary of the newest comparison; None if no recorded moment was compared."""
    found = RecordedMoment.objects.exclude(compared_at=None).aggregate(
        compared_at=Max("compared_at"),
        equal=Count("pk", filter=Q(result=Comparison.EQUAL)),
        differs=Count("pk", filter=Q(result=Comparison.DIFFERS)),
    )
    return ComparisonSummary(**found) if found["compared_at"] else None


def _is_deleted(row: RecordedMoment, moment: Moment) -> bool:
    """Whether terminals or people of the moment were deleted since, with their history."""
    existed = msgspec.convert(row.existed, Existed)
    people = User.objects.filter(pk__in=existed.people).count()
    return moment.terminal_count < existed.terminals or people < len(existed.people)
