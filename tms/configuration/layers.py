"""Effective values: what each terminal shall have, and the layer that each value comes from. Pure.

Later layers win: fleet, region, group, site, terminal. Of several groups, the one whose name comes later in the
alphabet wins. A terminal gets the keys that suit its model.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from tms.configuration.models import Layer

FLEET = 0
"""The place of values of the whole fleet."""


class StoredValue(NamedTuple):
    """A value where people set it."""

    key: str
    layer: Layer
    place: int
    """The row that the layer names, or `FLEET`."""
    value: Any
    secret: str = ""
    """The encrypted value of a secret key, whose `value` is None."""

    def __hash__(self) -> int:
        """A value may be a list or an object, which have no hash."""
        return hash((self.key, self.layer, self.place, self.secret))


class Whereabouts(NamedTuple):
    """What decides which values a terminal gets."""

    model: str
    region: int
    """0 for none."""
    groups: tuple[int, ...]
    """Sorted by their names."""
    site: int
    terminal: int


class EffectiveValue(NamedTuple):
    stored: StoredValue
    over: tuple[StoredValue, ...]
    """The values of earlier layers that it overrides, the nearest first."""


type Effective = Mapping[str, EffectiveValue]
"""Effective values, each with its key."""


class Layers:
    """All values of one version. Terminals with equal whereabouts share one result."""

    def __init__(self, values: Iterable[StoredValue], models_of: Mapping[str, Collection[str]]) -> None:
        """`models_of`: the models that each key is for; empty for all."""
        self._places: dict[tuple[Layer, int], list[StoredValue]] = {}
        for value in values:
            self._places.setdefault((value.layer, value.place), []).append(value)
        self._models_of = models_of
        self._found: dict[Whereabouts, Effective] = {}

    def effective(self, where: Whereabouts) -> Effective:
        if (Layer.TERMINAL, where.terminal) not in self._places:
            where = where._replace(terminal=0)
        if where not in self._found:
            self._found[where] = self._compute(where)
        return self._found[where]

    def _compute(self, where: Whereabouts) -> Effective:
        found: dict[str, EffectiveValue] = {}
        for place in places_of(where):
            for stored in self._places.get(place, ()):
                models = self._models_of.get(stored.key)
                if models is None or (models and where.model not in models):
                    continue
                before = found.get(stored.key)
                over = (before.stored, *before.over) if before else ()
                found[stored.key] = EffectiveValue(stored, over)
        return found


def places_of(where: Whereabouts) -> Sequence[tuple[Layer, int]]:
    """The places whose values a terminal may get; later wins."""
    return (
        (Layer.FLEET, FLEET),
        (Layer.REGION, where.region),
        *((Layer.GROUP, group) for group in where.groups),
        (Layer.SITE, where.site),
        (Layer.TERMINAL, where.terminal),
    )
