from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive, make_aware

from tms.lib.db.clock import database_clock
from tms.lib.management import NoChecksCommand
from tms.replay.state import Moment


class Command(NoChecksCommand):
    help = "Shows the totals of a past moment."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        showing = actions.add_parser("show", help="show the totals of a past moment")
        showing.add_argument("at", type=_instant, metavar="AT", help="such as 2026-11-24T03:12")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.writelines(f"{line}\n" for line in _shown(options["at"]))


def _shown(at: datetime) -> Iterator[str]:
    now = database_clock()
    if at > now:
        raise CommandError(f"{at.isoformat()} is in the future")
    moment = Moment(at, now=now)
    yield f"At {at.isoformat()}:"
    for totals in (_presences(moment), Counter(f"{row.severity} {row.state}" for row in moment.facts)):
        yield from (f"  {number:,} {name}" for name, number in sorted(totals.items()))
    yield f"  {len(moment.incidents):,} incidents"
    yield from (f"Note: {limit.text}" for limit in moment.limits)


def _presences(moment: Moment) -> Counter[str]:
    totals: Counter[str] = Counter()
    for (_, presence, _), number in moment.presence_counts.items():
        totals[presence] += number
    return +totals


def _instant(text: str) -> datetime:
    try:
        at = parse_datetime(text)
    except ValueError:
        at = None
    if at is None:
        raise CommandError(f"{text!r}: expected an instant such as 2026-11-24T03:12")
    return make_aware(at) if is_naive(at) else at
