"""Rolls up the days of sites once they are over, and again when the cause of an outage became known.

A day is rolled up `SETTLING` after its end, one site in one transaction. What is stored then is final, except for the
reasons of outages that were still open or whose late reports were not counted (`PendingOutage`), and for outages that
TMS could only record afterwards.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import models
from django.db.models import Max, Min

from tms.availability.intervals import Intervals
from tms.availability.losses import LossReason, Piece
from tms.availability.models import KindDay, PendingOutage, SiteDay, TerminalDay
from tms.availability.rollup.inputs import (
    DayFacts,
    DayTerminal,
    bounds_of,
    facts_of,
    outages_of,
    pieces_by_terminal,
)
from tms.availability.rollup.tally import Tally, tally
from tms.fleet.models import IdentityChange, IdentityField, Outage, Site
from tms.lib.calendar.dates import DAY
from tms.lib.calendar.local_time import local_time
from tms.lib.set_aside import SetAside, isolate
from tms.telemetry.storage.retention import history_horizon

SETTLING = timedelta(minutes=10)
"""Late reports of an outage that ended before midnight are counted by then."""
BACKFILL = timedelta(days=100)
"""How far back the days before the first roll-up are computed, with the opening hours of now."""
SITE_DAYS = 100
"""Days of sites per pass and kind of work."""
MAX_RECORDING_DELAY = timedelta(minutes=15)
"""TMS records the outages of a time in which it was unavailable within this time of its return."""
CHUNK = 10
"""Days of sites per transaction."""
EXPIRED_ROWS = 200

type Key = tuple[int, date]
"""A site and one of its days."""

not_rolled_up = SetAside[Key]("availability")


def advance(at: datetime) -> int:
    """One pass of the clock. Returns how many days of sites were rolled up."""
    left_out = set(not_rolled_up.keys(at))
    keys = [key for key in dict.fromkeys((*due(at), *corrected_days(), *missed_days(at))) if key not in left_out]
    chunks = [keys[first : first + CHUNK] for first in range(0, len(keys), CHUNK)]
    done = sum(isolate(chunk, lambda part: _roll_up_all(part, at), aside=not_rolled_up, at=at) for chunk in chunks)
    retire(at)
    return done


def due(at: datetime) -> list[Key]:
    """The oldest days that are over and not rolled up, at most `SITE_DAYS`."""
    found: list[Key] = []
    for zone in Site.objects.order_by().values_list("time_zone", flat=True).distinct():
        today = local_time(at - SETTLING, ZoneInfo(zone)).date()
        for site_id, first in _behind(zone, today):
            number = min((today - first).days, SITE_DAYS - len(found))
            found += [(site_id, first + days * DAY) for days in range(number)]
            if len(found) >= SITE_DAYS:
                return found
    return found


def _behind(zone: str, today: date) -> Iterator[tuple[int, date]]:
    """Sites of a zone with days to roll up, and the first of these days."""
    sites = Site.objects.filter(time_zone=zone).order_by("pk")
    reached = SiteDay.objects.filter(site=models.OuterRef("pk"), day__gte=today - DAY)
    behind = list(sites.filter(~models.Exists(reached)).values_list("pk", flat=True))
    last = dict(SiteDay.objects.filter(site__in=behind).order_by().values_list("site").annotate(last=Max("day")))
    new = [pk for pk in behind if pk not in last]
    first_seen = _first_boots(new)
    for pk in behind:
        if pk in last:
            yield pk, max(last[pk] + DAY, today - BACKFILL)
        elif pk in first_seen:
            yield pk, max(local_time(first_seen[pk], ZoneInfo(zone)).date(), today - BACKFILL)


def _first_boots(sites: Sequence[int]) -> dict[int, datetime]:
    """The first boot of the terminals of each site, and of those that moved away since."""
    there = Site.objects.filter(pk__in=sites, terminals__boots__isnull=False).order_by().values_list("pk")
    found = dict(there.annotate(first=Min("terminals__boots__first_seen_at")))
    left = IdentityChange.objects.filter(field=IdentityField.SITE, before__0__in=sites).order_by().values_list("before")
    for (site, _), first in left.annotate(first=Min("terminal__boots__first_seen_at")):
        if first is not None:
            found[site] = min(first, found.get(site, first))
    return found


def corrected_days() -> list[Key]:
    """Days with an outage whose cause became known since, at most `SITE_DAYS`."""
    days = SiteDay.objects.filter(pending__outage__reports_sent__isnull=False).order_by("pk").distinct()
    return list(days.values_list("site", "day")[:SITE_DAYS])


def missed_days(at: datetime) -> list[Key]:
    """Days that were rolled up before one of their outages was recorded, because TMS was unavailable at midnight."""
    recent = SiteDay.objects.filter(rolled_up_at__gt=at - MAX_RECORDING_DELAY)
    days = recent.in_bulk()
    if not days:
        return []
    pending = set(PendingOutage.objects.filter(site_day__in=recent).values_list("site_day", "outage"))
    not_final = Outage.objects.filter(reports_sent=None, terminal__days__site_day__in=recent)
    rows = not_final.values_list("terminal__days__site_day", "pk", "began_at", "ended_at")
    found = {
        pk
        for pk, outage, began_at, ended_at in rows
        if (pk, outage) not in pending
        and began_at < days[pk].ends_at
        and (ended_at is None or ended_at > days[pk].begins_at)
    }
    return [(days[pk].site_id, days[pk].day) for pk in sorted(found)[:SITE_DAYS]]


def retire(at: datetime) -> None:
    """Delete days beyond `TMS_HISTORY_DAYS`."""
    old = SiteDay.objects.filter(day__lt=history_horizon(at).date()).order_by("day").values("pk")[:EXPIRED_ROWS]
    SiteDay.objects.filter(pk__in=list(old.values_list("pk", flat=True))).delete()


def _roll_up_all(keys: Sequence[Key], at: datetime) -> int:
    sites = Site.objects.in_bulk([site_id for site_id, _ in keys])
    for site_id, day in keys:
        if site_id in sites:
            roll_up(sites[site_id], day, at=at)
    return len(keys)


def roll_up(site: Site, day: date, *, at: datetime) -> None:
    """Compute a day of a site and store it. Idempotent; call it in a transaction."""
    facts = facts_of(site, day)
    outages = outages_of(facts)
    pieces = pieces_by_terminal(facts, outages)
    tallies = {each.pk: _tally(facts, each, pieces.get(each.pk, ())) for each in facts.terminals}
    stored = _site_day(facts, at)
    TerminalDay.objects.bulk_create(_terminal_day(stored, each, tallies[each.pk]) for each in facts.terminals)
    KindDay.objects.bulk_create(_kind_days(stored, facts, tallies))
    PendingOutage.objects.bulk_create(
        PendingOutage(site_day=stored, outage_id=outage.id)
        for of_terminal in outages.of_terminal.values()
        for outage in of_terminal
        if not outage.is_final
    )


def _tally(facts: DayFacts, terminal: DayTerminal, pieces: Sequence[Piece]) -> Tally:
    return tally(facts.hours, service=terminal.service, excluded=terminal.excluded, pieces=pieces)


def _site_day(facts: DayFacts, at: datetime) -> SiteDay:
    """A new row, or the known one without its figures."""
    if facts.known is None:
        return SiteDay.objects.create(
            site_id=facts.site_id,
            day=facts.day,
            begins_at=facts.begins_at,
            ends_at=facts.ends_at,
            hours=facts.hours,
            rolled_up_at=at,
        )
    for of_day in (facts.known.terminals, facts.known.kinds, facts.known.pending):
        of_day.all().delete()
    facts.known.rolled_up_at = at
    facts.known.save(update_fields=["rolled_up_at"])
    return facts.known


def _columns(found: Tally) -> dict[str, int]:
    return {
        "counted_s": found.counted_s,
        "excluded_s": found.excluded_s,
        **{loss.column: seconds for loss, seconds in found.lost.items()},
    }


def _terminal_day(stored: SiteDay, terminal: DayTerminal, found: Tally) -> TerminalDay:
    begins, ends = bounds_in_seconds(stored)
    return TerminalDay(
        site_day=stored,
        terminal_id=terminal.pk,
        day=stored.day,
        since=terminal.service.since if terminal.service.since > begins else None,
        until=terminal.service.until if terminal.service.until < ends else None,
        excluded=_none_if_empty(terminal.excluded),
        **_columns(found),
    )


def bounds_in_seconds(stored: SiteDay) -> tuple[int, int]:
    return int(stored.begins_at.timestamp()), int(stored.ends_at.timestamp())


def _none_if_empty(intervals: Intervals) -> Intervals | None:
    return intervals or None


def _kind_days(stored: SiteDay, facts: DayFacts, tallies: dict[int, Tally]) -> Iterator[KindDay]:
    sums: dict[tuple[str, str], Counter[str]] = {}
    for terminal in facts.terminals:
        total = sums.setdefault((terminal.kind, terminal.model), Counter())
        total.update(terminals=1, **_columns(tallies[terminal.pk]))
    for (kind, model), total in sums.items():
        columns: dict[str, object] = dict(total)
        yield KindDay(site_day=stored, site_id=stored.site_id, day=stored.day, kind=kind, model=model, **columns)


__all__ = ["BACKFILL", "SETTLING", "LossReason", "advance", "bounds_of", "corrected_days", "due", "retire", "roll_up"]
