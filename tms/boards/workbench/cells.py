"""The terminals of an incident as cells: by place within one site, otherwise by site."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple

from tms.alerts.correlation.candidates import LOST
from tms.alerts.models import AlertQuerySet
from tms.fleet.models import Presence, Terminal, TerminalKind
from tms.fleet.sites.names import Bilingual
from tms.lib.db.natural_order import natural

MAX_CELLS, MAX_GROUPS, MAX_ALERTS = 300, 12, 5_000
BY_LABEL = range(2, 9)
"""Numbers of different locations at one site that are worth a group each."""


class Cell(NamedTuple):
    uid: str
    presence: str
    is_away: bool


@dataclass(frozen=True, slots=True)
class CellGroup:
    name: str | Bilingual
    kind: str
    """A kind of terminals, if that is what they have in common."""
    cells: tuple[Cell, ...]
    """The first of the cells."""
    number: int
    away: int

    @property
    def more(self) -> int:
        return self.number - len(self.cells)


@dataclass(frozen=True, slots=True)
class Cells:
    groups: tuple[CellGroup, ...]
    number: int
    away: int
    further: int
    """Number of groups that are not shown."""
    by: str
    """`location`, `kind` or `site`."""

    @property
    def back(self) -> int:
        return self.number - self.away


class CellsThen(NamedTuple):
    """What differs at a past instant."""

    presences: Mapping[int, str]
    """Presences of the terminals that were not online."""
    unresolved: Collection[int]
    """Unresolved alerts."""
    terminals: Mapping[int, Terminal]
    """The terminals, with the name, site and kind of then."""


class _Member(NamedTuple):
    uid: str
    site: Bilingual
    label: str
    kind: str
    presence: str
    is_unresolved: bool
    is_of_rule: bool

    @property
    def is_away(self) -> bool:
        """Whether the cell counts as away: with a rule, while its alert is unresolved."""
        return self.is_unresolved and (self.is_of_rule or self.presence in LOST)


COLUMNS = ("uid", "site__name", "site__name_ja", "label", "kind", "state__presence")


def cells_of(alerts: AlertQuerySet, *, is_of_rule: bool, then: CellsThen | None = None) -> Cells:
    """`alerts`: those of an incident that the person sees.

    `is_of_rule`: they were correlated because of their rule; `away` then counts those unresolved.
    """
    members = _members(alerts, is_of_rule=is_of_rule, then=then)
    by, groups = _group(members)
    room, shown = MAX_CELLS, []
    for name, kind, rows in groups[:MAX_GROUPS]:
        cells = tuple(Cell(row.uid, row.presence, row.is_away) for row in rows[:room])
        room -= len(cells)
        shown.append(CellGroup(name, kind, cells, len(rows), sum(row.is_away for row in rows)))
    away = sum(row.is_away for row in members)
    return Cells(tuple(shown), len(members), away, max(0, len(groups) - MAX_GROUPS), by)


def _members(alerts: AlertQuerySet, *, is_of_rule: bool, then: CellsThen | None) -> list[_Member]:
    """Each terminal once, unresolved if any of its alerts is."""
    found: dict[str, _Member] = {}
    columns = ("pk", "resolved_at", "terminal", *(f"terminal__{name}" for name in COLUMNS))
    rows = alerts.order_by(natural("terminal__uid")).values_list(*columns)[:MAX_ALERTS]
    for pk, resolved_at, terminal, uid, name, name_ja, label, kind, presence in rows:
        place = (Bilingual(name, name_ja), label, kind)
        if then and (past := then.terminals.get(terminal)):
            place = (Bilingual(past.site.name, past.site.name_ja), past.label, past.kind)
        shown = then.presences.get(terminal, Presence.ONLINE) if then else presence or Presence.NEVER
        is_unresolved = pk in then.unresolved if then else not resolved_at
        known = uid in found and found[uid].is_unresolved
        found[uid] = _Member(
            *(uid, *place, shown),
            is_unresolved=known or is_unresolved,
            is_of_rule=is_of_rule,
        )
    return list(found.values())


type _Groups = list[tuple[str | Bilingual, str, Sequence[_Member]]]


def _group(members: Sequence[_Member]) -> tuple[str, _Groups]:
    if len({row.site for row in members}) > 1:
        return "site", _by(members, lambda row: (row.site, ""))
    if len({row.label for row in members}) in BY_LABEL and all(row.label for row in members):
        return "location", _by(members, lambda row: (row.label, ""))
    return "kind", _by(members, lambda row: (str(TerminalKind(row.kind).value), row.kind))


def _by(members, key) -> _Groups:  # type: ignore[no-untyped-def]
    groups = [(*name, list(rows)) for name, rows in groupby(sorted(members, key=key), key)]
    return sorted(groups, key=lambda group: -sum(row.is_away for row in group[2]))
