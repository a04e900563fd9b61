"""The lost time in today's availability. Runs inside a TMS: `manage.py shell -c`."""

import json
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone

from tms.availability.intervals import instant_of
from tms.availability.rollup.inputs import facts_of, outages_of, pieces_by_terminal
from tms.availability.rollup.tally import disjoint
from tms.fleet.models import Site, Terminal
from tms.lib.calendar.dates import DAY
from tms.lib.calendar.local_time import local_time


def lost(since: int) -> None:
    """Prints `[uid, since, until, reason]` of each part that begins at `since` or later, in seconds, as JSON."""
    uids = dict(Terminal.objects.values_list("pk", "uid"))
    with transaction.atomic():
        rows = [
            [uids[pk], first, end, reason]
            for site in Site.objects.order_by("pk")
            for day in _days(site, since)
            for pk, first, end, reason in _of_day(site, day)
            if first >= since
        ]
    print(json.dumps(rows))


def _days(site: Site, since: int) -> list[date]:
    first, last = (local_time(at, ZoneInfo(site.time_zone)).date() for at in (instant_of(since), timezone.now()))
    return [first + number * DAY for number in range((last - first).days + 1)]


def _of_day(site: Site, day: date) -> Iterator[tuple[int, int, int, str]]:
    facts = facts_of(site, day)
    for pk, pieces in pieces_by_terminal(facts, outages_of(facts)).items():
        for piece in disjoint(pieces, within=facts.bounds):
            yield pk, piece.since, piece.until, piece.loss.value
