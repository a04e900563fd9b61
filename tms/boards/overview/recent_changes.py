"""Recent changes of all terminals of a scope. Grouped from a few columns; only shown rows are read as a whole.

Alerts on presence open and are resolved because the presence changed, which is a line already.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Model, Q, QuerySet

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.models import RuleSource, Transition, TransitionKind
from tms.boards.rows.timeline import KINDS, TimelineEntry
from tms.fleet.models import Presence, PresenceChange

RECENT = timedelta(minutes=15)
MAX_READ = 300
"""How many rows of a kind are read: an alert storm of thousands is represented by its newest rows."""
GROUPED_WITHIN = timedelta(seconds=60)
"""The same change of several terminals of a site within this time is one line."""
ACROSS_SITES = timedelta(seconds=10)
MIN_SITES = 3
"""The same change of presence at so many sites within `ACROSS_SITES` of each other is one line."""
OF_PRESENCE = Q(kind__in=(TransitionKind.OPENED, TransitionKind.RESOLVED), alert__rule__kind=RuleSource.PRESENCE)


class ChangeSource(NamedTuple):
    rows: Callable[[], QuerySet[Model]]
    group_by: Sequence[str]
    """Columns that are equal for rows of one group."""
    related: Sequence[str]
    """Relations that an entry needs."""


SOURCES: Mapping[str, ChangeSource] = {
    "presence": ChangeSource(
        lambda: PresenceChange.objects.annotate(is_first=Q(before=Presence.NEVER)),
        ("presence", "is_first", "terminal__site"),
        ("terminal__site",),
    ),
    "alerts": ChangeSource(
        lambda: Transition.objects.exclude(OF_PRESENCE, by=None),
        ("kind", "alert__severity", "alert__rule", "alert__terminal__site", "by"),
        ("alert__rule", "alert__terminal__site", "by"),
    ),
}
"""Where each kind of timeline entry is read from."""


class Trace(NamedTuple):
    """The columns of a row that are needed for grouping."""

    kind: str
    at: datetime
    pk: int
    group_key: tuple[object, ...]


class ChangeGroup(NamedTuple):
    """Changes shown as one line. Its element id comes from the oldest one, so that it stays the same while the group
    grows.
    """

    newest: Trace
    oldest: Trace
    number: int
    sites: int = 1


def recent(
    *, at: datetime, scope: Scope, limit: int, until: datetime | None = None
) -> tuple[list[TimelineEntry], int, bool]:
    """The newest changes of the last 15 minutes, grouped; their number; whether there were more. `until`: of a past
    instant, without later ones.
    """
    period = Q(at__gt=at - RECENT) if until is None else Q(at__gt=at - RECENT, at__lte=until)
    traces = [list(_traces(kind, source, period, scope)) for kind, source in SOURCES.items()]
    groups = _across_sites(_group(merge(*traces, key=attrgetter("at"), reverse=True)))
    is_capped = any(len(of_kind) == MAX_READ for of_kind in traces)
    return _entries(groups[:limit]), sum(group.number for group in groups), is_capped


def _traces(kind: str, source: ChangeSource, period: Q, scope: Scope) -> Iterator[Trace]:
    rows = within(source.rows().filter(period), scope).order_by("-at")
    for at, pk, *group_key in rows.values_list("at", "pk", *source.group_by)[:MAX_READ]:
        yield Trace(kind, at, pk, (kind, *group_key))


def _group(traces: Iterable[Trace]) -> list[ChangeGroup]:
    groups: list[ChangeGroup] = []
    indexes: dict[tuple[object, ...], int] = {}
    for trace in traces:
        index = indexes.get(trace.group_key)
        if index is not None and groups[index].newest.at - trace.at <= GROUPED_WITHIN:
            group = groups[index]
            groups[index] = ChangeGroup(group.newest, trace, group.number + 1)
            continue
        indexes[trace.group_key] = len(groups)
        groups.append(ChangeGroup(trace, trace, 1))
    return groups


def _across_sites(groups: Sequence[ChangeGroup]) -> list[ChangeGroup]:
    """The changes, newest first, with one group in place of many for a change of presence at several sites."""
    alike: dict[tuple[object, ...], list[list[ChangeGroup]]] = {}
    for group in groups:
        kind, *columns = group.newest.group_key
        if kind == "presence":
            runs = alike.setdefault(tuple(columns[:2]), [])
            if runs and runs[-1][-1].newest.at - group.newest.at <= ACROSS_SITES:
                runs[-1].append(group)
            else:
                runs.append([group])
    merged: dict[ChangeGroup, ChangeGroup | None] = {}
    for run in (run for runs in alike.values() for run in runs if len(run) >= MIN_SITES):
        oldest = min((group.oldest for group in run), key=attrgetter("at"))
        sites = len({group.newest.group_key[-1] for group in run})
        merged |= dict.fromkeys(run) | {run[0]: ChangeGroup(run[0].newest, oldest, sum(g.number for g in run), sites)}
    return [shown for group in groups if (shown := merged.get(group, group)) is not None]


def _entries(groups: Sequence[ChangeGroup]) -> list[TimelineEntry]:
    rows: dict[tuple[str, int], Any] = {}
    for kind, source in SOURCES.items():
        pks = [group.newest.pk for group in groups if group.newest.kind == kind]
        found = source.rows().select_related(*source.related).in_bulk(pks)
        rows |= {(kind, pk): row for pk, row in found.items()}
    named = ((group, rows.get((group.newest.kind, group.newest.pk))) for group in groups)
    return [_entry(group, row) for group, row in named if row is not None]


def _entry(group: ChangeGroup, row: object) -> TimelineEntry:
    entry = KINDS[group.newest.kind].entry(row)
    element = f"{entry.element.partition('-')[0]}-{group.oldest.pk}"
    return replace(entry, element=element, number=group.number, sites=group.sites)
