"""What the history of identity says about an earlier instant or period."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from django.db.models import Q, QuerySet

from tms.fleet.lifecycle import WITH_AVAILABILITY
from tms.fleet.models import IdentityChange, IdentityField, Terminal

type Period = tuple[datetime, datetime]
type Step = tuple[datetime, Any]
"""When a value changed, and the value before."""


def values_before(changes: QuerySet[IdentityChange]) -> dict[int, dict[str, Any]]:
    """The facts of terminals before the first of `changes`, by terminal and field. What did not change is missing."""
    found: dict[int, dict[str, Any]] = {}
    newest_first = changes.order_by("-at", "-pk").values_list("terminal_id", "field", "before")
    for terminal_id, field, before in newest_first.iterator():
        found.setdefault(terminal_id, {})[field] = before
    return found


def service_periods(terminals: Collection[int], *, since: datetime, until: datetime) -> dict[int, list[Period]]:
    """When each of these terminals was in service within a period, by its lifecycle states."""
    now = dict(Terminal.objects.filter(pk__in=terminals).order_by().values_list("pk", "lifecycle"))
    return _all_periods(
        now, IdentityField.LIFECYCLE, lambda state: state in WITH_AVAILABILITY, since=since, until=until
    )


def site_periods(site: int, *, since: datetime, until: datetime) -> dict[int, list[Period]]:
    """When terminals were at a site within a period: those that are there now, and those that moved away since."""
    moved = IdentityChange.objects.filter(field=IdentityField.SITE, at__gt=since, before__0=site)
    known = Terminal.objects.filter(Q(site=site) | Q(pk__in=moved.values("terminal")))
    now = {pk: [site_id] for pk, site_id in known.order_by().values_list("pk", "site_id")}
    found = _all_periods(now, IdentityField.SITE, lambda value: value[0] == site, since=since, until=until)
    return {pk: periods for pk, periods in found.items() if periods}


def _all_periods(
    now: Mapping[int, Any],
    field: IdentityField,
    is_meant: Callable[[Any], bool],
    *,
    since: datetime,
    until: datetime,
) -> dict[int, list[Period]]:
    """`now`: the present value of each terminal."""
    changes = IdentityChange.objects.filter(terminal__in=now, field=field, at__gt=since)
    rows = changes.order_by("terminal", "-at", "-pk").values_list("terminal", "at", "before")
    newest_first = {pk: [row[1:] for row in found] for pk, found in groupby(rows, key=itemgetter(0))}
    return {pk: _periods(value, newest_first.get(pk, ()), is_meant, since, until) for pk, value in now.items()}


def _periods(
    value: Any, newest_first: Iterable[Step], is_meant: Callable[[Any], bool], since: datetime, until: datetime
) -> list[Period]:
    periods, end = [], until
    for at, before in [*newest_first, (since, None)]:
        if is_meant(value) and at < end:
            periods.append((at, end))
        value, end = before, min(end, at)
    return periods[::-1]
