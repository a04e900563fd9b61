"""The density of a time: counted from the rows, and for long times mostly from stored counts."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import NamedTuple

from django.db.models import F, Model, Q, Sum

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.replay.density import rows
from tms.replay.density.buckets import Bucket, Division
from tms.replay.density.counting import AT_SITES, OF_FLEET, OF_SITE, day_of, rounded
from tms.replay.density.rows import SOURCES, Span
from tms.replay.models import CountedDay, FleetCount, SiteCount

MIN_STORED_PER_BUCKET = 4
"""A bucket is at least so many times as long as what is stored as one number: such a number counts where it begins."""


class Stored(NamedTuple):
    """What is counted in advance."""

    model: type[Model]
    length: timedelta
    """The length of the time that one row counts."""
    fields: Sequence[str]


BY_FLEET, BY_SITE = Stored(FleetCount, OF_FLEET, tuple(SOURCES)), Stored(SiteCount, OF_SITE, AT_SITES)


def density(since: datetime, until: datetime, *, buckets: int, scope: Scope) -> list[Bucket]:
    """Equal parts of the time from `since` to before `until`, in order, in at most three queries.

    Raises ValueError for an empty time or too many parts.
    """
    division = Division.of(since, until, buckets)
    stored = _stored_counts(division, scope)
    covered = list(_covered_spans(division, stored.length)) if stored else []
    whole, rest = [Span(since, until)], list(_gaps(division, covered))
    spans = {field: rest if stored and field in stored.fields else whole for field in SOURCES}
    parts = list(rows.count_rows(spans, division, scope))
    counts = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else chain(*parts)
    summed = _sum(stored, covered, division, scope) if stored and covered else ()
    return division.filled(chain(counts, summed))


def _stored_counts(division: Division, scope: Scope) -> Stored | None:
    """The stored counts; None if buckets are too short, or if the scope has groups, which are parts of sites."""
    stored = BY_FLEET if scope.is_everything else BY_SITE
    return None if scope.groups or division.length < MIN_STORED_PER_BUCKET * stored.length else stored


def _covered_spans(division: Division, length: timedelta) -> Iterator[Span]:
    """The parts of the time of which everything is stored, in order."""
    first, last = rounded(division.since, length, up=True), rounded(division.until, length)
    days = CountedDay.objects.filter(day__gte=day_of(division.since), day__lt=division.until).order_by("day")
    open_span: Span | None = None
    for day, until in days.values_list("day", "until"):
        span = Span(max(day, first), min(rounded(until, length), last))
        if span.since >= span.until:
            continue
        if open_span is not None and open_span.until == span.since:
            span = Span(open_span.since, span.until)
        elif open_span is not None:
            yield open_span
        open_span = span
    if open_span is not None:
        yield open_span


def _gaps(division: Division, covered: Sequence[Span]) -> Iterator[Span]:
    """The parts of the time that have no stored counts."""
    begins = [division.since, *(span.until for span in covered)]
    ends = [*(span.since for span in covered), division.until]
    return (Span(begin, end) for begin, end in zip(begins, ends, strict=True) if begin < end)


def _sum(stored: Stored, covered: Sequence[Span], division: Division, scope: Scope) -> Iterator[tuple[str, int, int]]:
    """Field, bucket and number, in one query for all fields."""
    chosen = Q(*(span.holds("begins_at") for span in covered), _connector=Q.OR)
    found = stored.model._default_manager.filter(chosen).order_by()
    found = found if scope.is_everything else within(found, scope)
    sums = {f"sum_{field}": Sum(field) for field in stored.fields}
    named = found.annotate(bucket=division.number(F("begins_at"))).values_list("bucket").annotate(**sums)
    for bucket, *numbers in named:
        yield from ((field, bucket, number) for field, number in zip(stored.fields, numbers, strict=True))
