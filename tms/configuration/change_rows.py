"""The changes of a version as people read them."""

from collections.abc import Sequence
from typing import NamedTuple

from tms.accounts.access import Person
from tms.configuration.changes import ValueDifference, VersionEffects, changes_of
from tms.configuration.layers import StoredValue
from tms.configuration.models import ConfigurationVersion, LayerValue
from tms.configuration.places import Place, names_of
from tms.configuration.values.cells import shown
from tms.configuration.values.secrets import MASKED
from tms.fleet.models import Terminal

SHOWN_SETS = 50
NAMED_TERMINALS = 3


class ChangedValueRow(NamedTuple):
    key: str
    needs_restart: bool
    place: Place
    name: str
    before: str | None
    after: str | None
    number: int

    @property
    def layer(self) -> str:
        return str(self.place.layer.label)

    @property
    def sign(self) -> str:
        if self.before is None:
            return "add"
        return "remove" if self.after is None else "change"

    @property
    def mark(self) -> str:
        return {"add": "+", "remove": "−", "change": "~"}[self.sign]


class TerminalSet(NamedTuple):
    """Terminals whose values change in the same way."""

    uids: Sequence[str]
    number: int
    sites: int
    site: str
    """The name of their site, if it is one."""
    differences: Sequence[tuple[str, str | None, str | None]]

    @property
    def more(self) -> int:
        return self.number - len(self.uids)


def change_rows(version: ConfigurationVersion, effects: VersionEffects, *, to: Person) -> list[ChangedValueRow]:
    changes = changes_of(version, to=to)
    names = names_of({change.place for change in changes})
    return [
        ChangedValueRow(
            one.key.name,
            one.key.needs_restart,
            one.place,
            names[one.place],
            shown_value(one.before) if one.before else None,
            shown_value(one.after) if one.after else None,
            effects.by_place[one.key.name, one.place],
        )
        for one in changes
    ]


def terminal_sets(effects: VersionEffects) -> list[TerminalSet]:
    return [_terminal_set(differences, pks) for differences, pks in list(effects.terminals.items())[:SHOWN_SETS]]


def _terminal_set(differences: Sequence[ValueDifference], pks: Sequence[int]) -> TerminalSet:
    terminals = Terminal.objects.filter(pk__in=pks[:5_000])
    sites = list(terminals.order_by().values_list("site__name", flat=True).distinct()[:1_000])
    uids = list(terminals.order_by("uid").values_list("uid", flat=True)[:NAMED_TERMINALS])
    changed = [(one.key, _text(one.before), _text(one.after)) for one in differences]
    return TerminalSet(uids, len(pks), len(sites), sites[0] if len(sites) == 1 else "", changed)


def _text(stored: StoredValue | None) -> str | None:
    if stored is None:
        return None
    return MASKED if stored.secret else shown(stored.value)


def shown_value(value: LayerValue) -> str:
    return MASKED if value.secret else shown(value.value)
