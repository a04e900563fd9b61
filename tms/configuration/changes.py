"""What a version changes: values by layer, and which terminals get other values."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import Q, QuerySet

from tms.accounts.access import Person, visible
from tms.configuration.contents import FleetPlaces, VersionLayers
from tms.configuration.layers import Effective, StoredValue
from tms.configuration.models import ConfigurationKey, ConfigurationVersion, Layer, LayerValue
from tms.configuration.places import Place
from tms.fleet.lifecycle import states
from tms.fleet.models import Group, Region, Terminal

CHUNK = 5_000


class ValueChange(NamedTuple):
    """A value that was added, changed or removed."""

    key: ConfigurationKey
    place: Place
    before: LayerValue | None
    after: LayerValue | None


class ValueDifference(NamedTuple):
    """What a key becomes for a terminal. None for no value."""

    key: str
    before: StoredValue | None
    after: StoredValue | None


type Differences = tuple[ValueDifference, ...]


def changes_of(version: ConfigurationVersion, *, to: Person | None = None) -> list[ValueChange]:
    """The changes that the person sees, by layer and key; all for None."""
    after, before = (
        {(row.key_id, Place.of(row)): row for row in (rows if to is None else visible(rows, to=to))}
        for rows in (
            LayerValue.objects.filter(since=version).select_related("key"),
            LayerValue.objects.filter(until=version).select_related("key"),
        )
    )
    found = [
        ValueChange((after.get(spot) or before[spot]).key, spot[1], before.get(spot), after.get(spot))
        for spot in {**before, **after}
    ]
    order = list(Layer)
    return sorted(found, key=lambda one: (order.index(one.place.layer), one.key.name, one.place.id))


@dataclass
class VersionEffects:
    """What a version changes for terminals, compared with the version before it."""

    terminals: dict[Differences, list[int]] = field(default_factory=dict)
    """Terminals whose values change in the same way, most first."""
    unchanged: int = 0
    """Terminals at these places whose values stay, because a later layer has another one."""
    by_place: Counter[tuple[str, Place]] = field(default_factory=Counter)
    """How many terminals each changed value reaches."""

    @property
    def number(self) -> int:
        return sum(map(len, self.terminals.values()))

    def restarts(self, keys: Collection[str]) -> int:
        """Terminals for which one of these keys changes."""
        return sum(
            len(pks) for differences, pks in self.terminals.items() if any(one.key in keys for one in differences)
        )


class Compared(NamedTuple):
    """A terminal before and after."""

    pk: int
    site: int
    before: Effective
    after: Effective


def reached(changes: Sequence[ValueChange]) -> QuerySet[Terminal]:
    """The terminals at the places of these changes."""
    places = {change.place for change in changes}
    ids = {layer: [place.id for place in places if place.layer is layer] for layer in Layer}
    in_use = Terminal.objects.filter(lifecycle__in=states(lambda treatment: treatment.takes_work))
    if ids[Layer.FLEET]:
        return in_use
    regions = Region.objects.filter(pk__in=ids[Layer.REGION]).values("name")
    members = Group.terminals.through.objects.filter(group__in=ids[Layer.GROUP]).values("terminal")
    return in_use.filter(
        Q(site__region__in=regions) | Q(pk__in=members) | Q(site__in=ids[Layer.SITE]) | Q(pk__in=ids[Layer.TERMINAL])
    )


def compare(version: ConfigurationVersion, terminals: QuerySet[Terminal]) -> Iterator[Compared]:
    """Some thousands at a time are in memory."""
    last = 0
    numbers = version.number - 1, version.number
    while pks := list(terminals.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        last = pks[-1]
        places = FleetPlaces(pks)
        layers = VersionLayers(places, numbers)
        before, after = (layers.at(number) for number in numbers)
        for where in places.of.values():
            yield Compared(where.terminal, where.site, before.effective(where), after.effective(where))


def effects_of(version: ConfigurationVersion, *, to: Person | None = None) -> VersionEffects:
    """Effects on the terminals that the person sees; on all for None."""
    changes = changes_of(version)
    terminals = reached(changes)
    return effects_on(compare(version, terminals if to is None else visible(terminals, to=to)))


def effects_on(compared: Iterator[Compared]) -> VersionEffects:
    found = VersionEffects()
    memo: dict[tuple[int, int], Differences] = {}
    kept: list[Compared] = []
    for one in compared:
        key = id(one.before), id(one.after)
        if key not in memo:
            memo[key] = differences(one.before, one.after)
            kept.append(one)  # so that no other result gets its id
        changed = memo[key]
        if not changed:
            found.unchanged += 1
            continue
        found.terminals.setdefault(changed, []).append(one.pk)
    found.terminals = dict(sorted(found.terminals.items(), key=lambda item: -len(item[1])))
    for changed, pks in found.terminals.items():
        spots = {(one.key, Place(value.layer, value.place)) for one in changed for value in one[1:] if value}
        for spot in spots:
            found.by_place[spot] += len(pks)
    return found


def differences(before: Effective, after: Effective) -> Differences:
    """Values of other layers that are equal are none."""
    found = []
    for key in sorted({*before, *after}):
        old, new = (side[key].stored if key in side else None for side in (before, after))
        if old != new and not (old and new and not old.secret and _what(old) == _what(new)):
            found.append(ValueDifference(key, old, new))
    return tuple(found)


def _what(stored: StoredValue) -> tuple[type, str]:
    return type(stored.value), repr(stored.value)
