"""`manage.py replay` compares recorded moments with their replays, or shows the totals of a past moment."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from tms.lib.db.clock import database_clock
from tms.lib.management import NoChecksCommand
from tms.replay.models import RecordedMoment
from tms.replay.models.recorded_moment import Comparison
from tms.replay.recorded import comparison
from tms.replay.recorded.shown_state import replayed
from tms.replay.state import Moment


class Command(NoChecksCommand):
    help = "Compares recorded moments with their replay, or shows the totals of a past moment."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        comparing = actions.add_parser("compare", help="replay recorded moments, and report differences")
        comparing.add_argument("--since", type=_instant, metavar="AT", help="such as 2026-11-24T03:12; default: all")
        comparing.add_argument("--new", action="store_true", help="only those that were not compared yet")
        showing = actions.add_parser("show", help="show the totals of a past moment")
        showing.add_argument("at", type=_instant, metavar="AT", help="such as 2026-11-24T03:12")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["action"] == "compare":
            self._compare(options["since"], is_new=options["new"])
        else:
            self.stdout.writelines(f"{line}\n" for line in _show(options["at"]))

    def _compare(self, since: datetime | None, *, is_new: bool) -> None:
        now = database_clock()
        rows = RecordedMoment.objects.filter(at__lte=now - comparison.SETTLED).order_by("at", "pk")
        if since is not None:
            rows = rows.filter(at__gte=since)
        results = [self._one(row, now) for row in (rows.uncompared() if is_new else rows)]
        counts = {result: results.count(result) for result in Comparison}
        self.stdout.write(
            f"{len(results):,} recorded moments: {counts[Comparison.EQUAL]:,} equal, "
            f"{counts[Comparison.DIFFERS]:,} different, {counts[Comparison.DELETED]:,} with deleted terminals or people"
        )
        if counts[Comparison.DIFFERS]:
            raise CommandError(f"{counts[Comparison.DIFFERS]:,} of {len(results):,} recorded moments differ")

    def _one(self, row: RecordedMoment, now: datetime) -> Comparison:
        result = comparison.compare(row, at=now)
        if result is Comparison.DIFFERS:
            row.refresh_from_db(fields=("difference",))
            self.stdout.write(f"{row.at.isoformat()} {row.node}: {row.difference}")
        return result


def _show(at: datetime) -> Iterator[str]:
    now = database_clock()
    if at > now:
        raise CommandError(f"{at.isoformat()} is in the future")
    moment = Moment(at, now=now)
    state = replayed(moment)
    yield f"At {at.isoformat()}:"
    for totals in (state.totals.presences, state.totals.alerts):
        yield from (f"  {number:,} {name}" for name, number in sorted(totals.items()))
    yield f"  {len(state.incidents):,} incidents"
    yield from (f"Note: {limit.text}" for limit in moment.limits)


def _instant(text: str) -> datetime:
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise CommandError(f"{text!r}: expected an instant such as 2026-11-24T03:12")
    return make_aware(at) if is_naive(at) else at
