"""What the history of identity says about an earlier instant or period."""

from collections.abc import Collection, Iterable
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from tms.fleet.lifecycle import WITH_AVAILABILITY
from tms.fleet.models import IdentityChange, IdentityField, Terminal

type Period = tuple[datetime, datetime]


def values_before(changes: Iterable[IdentityChange]) -> dict[int, dict[str, Any]]:
    """The facts of terminals before the first of `changes`, by terminal and field. Newest change first."""
    found: dict[int, dict[str, Any]] = {}
    for change in changes:
        found.setdefault(change.terminal_id, {})[change.field] = change.before
    return found


def service_periods(terminals: Collection[int], *, since: datetime, until: datetime) -> dict[int, list[Period]]:
    """When each of these terminals was in service within a period, by its lifecycle states."""
    now = dict(Terminal.objects.filter(pk__in=terminals).order_by().values_list("pk", "lifecycle"))
    changes = IdentityChange.objects.filter(terminal__in=terminals, field=IdentityField.LIFECYCLE, at__gt=since)
    rows = changes.order_by("terminal", "-at", "-pk").values_list("terminal", "at", "before")
    newest_first = {pk: list(found) for pk, found in groupby(rows, key=itemgetter(0))}
    return {
        pk: _periods(state, [(at, before) for _, at, before in newest_first.get(pk, ())], since, until)
        for pk, state in now.items()
    }


def _periods(state: str, newest_first: list[tuple[datetime, str]], since: datetime, until: datetime) -> list[Period]:
    periods, end = [], until
    for at, before in [*newest_first, (since, "")]:
        if state in WITH_AVAILABILITY and at < end:
            periods.append((max(at, since), end))
        state, end = before, min(end, at)
    return periods[::-1]
