"""What changed in the whole fleet a moment ago. A storm is grouped from thin rows; only what is told is read whole."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from heapq import merge
from operator import attrgetter
from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from tms.accounts.access import Person, visible
from tms.alerts.models import Transition
from tms.boards.rows.timeline import KINDS, TimelineEntry
from tms.fleet.models import Presence, PresenceChange

RECENT = timedelta(minutes=15)
MOST_READ = 300
"""Of each kind: a storm of thousands is told by its newest."""
TOGETHER = timedelta(seconds=60)
"""What befalls several terminals of a site within this is one line."""


class ChangeSource(NamedTuple):
    rows: Callable[[], QuerySet[Any]]
    together: Sequence[str]
    """Columns in which rows that belong together are equal."""
    related: Sequence[str]
    """What it takes to tell one."""


SOURCES: Mapping[str, ChangeSource] = {
    "presence": ChangeSource(
        lambda: PresenceChange.objects.annotate(is_first=Q(before=Presence.NEVER)),
        ("presence", "is_first", "terminal__site"),
        ("terminal__site",),
    ),
    "alerts": ChangeSource(
        Transition.objects.all,
        ("kind", "alert__severity", "alert__rule", "alert__terminal__site", "by"),
        ("alert__rule", "alert__terminal__site", "by"),
    ),
}
"""By the name of their kind of timeline entry."""


class Trace(NamedTuple):
    """As much of a row as tells what it belongs together with."""

    kind: str
    at: datetime
    pk: int
    together: tuple[Any, ...]


class ChangeGroup(NamedTuple):
    """It bears the name of its oldest member, so that it stays the same row while it grows."""

    newest: Trace
    oldest: Trace
    number: int


def recent(*, at: datetime, to: Person, limit: int) -> tuple[list[TimelineEntry], int, bool]:
    """The newest changes of the last 15 minutes, grouped; how many there were; whether there were even more."""
    traces = [list(_traces(kind, source, at - RECENT, to=to)) for kind, source in SOURCES.items()]
    groups = _grouped(merge(*traces, key=attrgetter("at"), reverse=True))
    is_capped = any(len(of_kind) == MOST_READ for of_kind in traces)
    return _told(groups[:limit]), sum(group.number for group in groups), is_capped


def _traces(kind: str, source: ChangeSource, since: datetime, *, to: Person) -> Iterator[Trace]:
    rows = visible(source.rows().filter(at__gt=since), to=to).order_by("-at")
    for at, pk, *together in rows.values_list("at", "pk", *source.together)[:MOST_READ]:
        yield Trace(kind, at, pk, (kind, *together))


def _grouped(traces: Iterable[Trace]) -> list[ChangeGroup]:
    groups: list[ChangeGroup] = []
    place: dict[tuple[Any, ...], int] = {}
    for trace in traces:
        index = place.get(trace.together)
        if index is not None and groups[index].newest.at - trace.at <= TOGETHER:
            group = groups[index]
            groups[index] = ChangeGroup(group.newest, trace, group.number + 1)
            continue
        place[trace.together] = len(groups)
        groups.append(ChangeGroup(trace, trace, 1))
    return groups


def _told(groups: Sequence[ChangeGroup]) -> list[TimelineEntry]:
    rows: dict[tuple[str, int], Any] = {}
    for kind, source in SOURCES.items():
        pks = [group.newest.pk for group in groups if group.newest.kind == kind]
        found = source.rows().select_related(*source.related).in_bulk(pks)
        rows |= {(kind, pk): row for pk, row in found.items()}
    named = ((group, rows.get((group.newest.kind, group.newest.pk))) for group in groups)
    return [_tell(group, row) for group, row in named if row is not None]


def _tell(group: ChangeGroup, row: Any) -> TimelineEntry:
    told = KINDS[group.newest.kind].tell(row)
    element = f"{told.element.partition('-')[0]}-{group.oldest.pk}"
    return replace(told, element=element, number=group.number)
