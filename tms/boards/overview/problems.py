"""The number of problems on boards: rows of the list of open alerts. An incident is one, also while it forms."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import NamedTuple

from tms.alerts.correlation.forming import FormingIncident
from tms.alerts.models import AlertState
from tms.boards.caches.census import Census, UnresolvedCount
from tms.boards.caches.incidents import Part

FORMING, HIDDEN, ALONE = -1, -2, None
"""Values in place of the primary key of an incident."""

type _Unit = int | None


class Problems(NamedTuple):
    """Numbers by severity. Snoozed alerts are not counted. An incident counts once for each severity of its alerts."""

    every: Counter[str]
    unacknowledged: Counter[str]


def problems(census: Census, shown: FormingIncident, parts: Mapping[int, Part]) -> Problems:
    """`parts`: incidents that were merged, by primary key. The census is followed row by row, so alerts that were
    merged a moment ago may still name their old incident.
    """

    def unit(key: UnresolvedCount) -> _Unit:
        incident, undecided = key[7], census.undecided.get(key)
        if incident is not None:
            part = parts.get(incident)
            return row_of(part.merged_into if part else incident)
        if undecided is None:
            return ALONE
        if undecided in shown.joining:
            return row_of(shown.joining[undecided])
        if undecided not in shown.alerts:
            return ALONE
        return FORMING if shown.is_shown else HIDDEN

    def row_of(incident: int) -> _Unit:
        row = shown.absorbed.get(incident, incident)
        return FORMING if row in shown.merged else row

    def count(states: Collection[str]) -> Counter[str]:
        return _count((pair for pair in census.alerts.items() if pair[0][2] in states), unit)

    return Problems(count((AlertState.OPEN, AlertState.ACKNOWLEDGED)), count((AlertState.OPEN,)))


def _count(counts: Iterable[tuple[UnresolvedCount, int]], unit: Callable[[UnresolvedCount], _Unit]) -> Counter[str]:
    incidents: set[tuple[str, int]] = set()
    counted: Counter[str] = Counter()
    for key, number in counts:
        of = unit(key)
        if of is ALONE:
            counted[key[1]] += number
        elif of != HIDDEN:
            incidents.add((key[1], of))
    counted.update(severity for severity, _ in incidents)
    return counted
