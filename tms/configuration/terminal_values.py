"""What one terminal shall have, key by key, with the layer of each value and what became of it."""

from typing import NamedTuple

from tms.configuration.contents import ContentRenderer, FleetPlaces, VersionLayers
from tms.configuration.layers import EffectiveValue, StoredValue
from tms.configuration.models import ConfigurationKey, Layer, TerminalConfiguration
from tms.configuration.places import Place, names_of
from tms.configuration.values.cells import shown
from tms.fleet.models import Terminal


class ValueRow(NamedTuple):
    """A key of the terminal. `state` is applied, refused, differs, restart or unknown."""

    key: ConfigurationKey
    value: str
    layer: Layer
    place: str
    over: str | None
    before: str | None
    """The value of the version that it applied last, if another one."""
    state: str
    reason: str = ""

    @property
    def section(self) -> str:
        return self.key.name.partition(".")[0]


def effective_values(terminal: Terminal, stored: TerminalConfiguration | None) -> list[ValueRow]:
    """The effective values at the version that the terminal shall have, by key."""
    if stored is None or stored.version is None:
        return []
    number = stored.version.number
    applied = stored.applied_version.number if stored.applied_version else 0
    places = FleetPlaces([terminal.pk])
    layers, where = VersionLayers(places, {number, applied}), places.of[terminal.pk]
    effective, before = layers.at(number).effective(where), layers.at(applied).effective(where)
    names = names_of({_place(one.stored) for one in effective.values()})
    keys = {key.name: key for key in ConfigurationKey.objects.filter(name__in=effective)}
    reader = _RowReader(stored, ContentRenderer([terminal.site_id]), terminal.site_id)
    return [
        reader.row(keys[name], effective[name], before[name].stored if name in before else None, names)
        for name in sorted(effective)
    ]


class _RowReader:
    def __init__(self, stored: TerminalConfiguration, renderer: ContentRenderer, site: int) -> None:
        self._stored, self._renderer, self._site = stored, renderer, site

    def row(
        self, key: ConfigurationKey, one: EffectiveValue, before: StoredValue | None, names: dict[Place, str]
    ) -> ValueRow:
        reason = self._stored.refused.get(key.name, "")
        value, former = self._text(one.stored), self._text(before) if before else None
        is_changed = self._stored.differs and (before != one.stored if one.stored.secret else former != value)
        if reason:
            state = "refused"
        elif is_changed:
            state = "differs"
        elif key.needs_restart and self._stored.needs_restart:
            state = "restart"
        else:
            state = "applied"
        over = self._text(one.over[0]) if one.over else None
        place = _place(one.stored)
        shown_before = former if is_changed else None
        return ValueRow(key, value, place.layer, names[place], over, shown_before, state, reason)

    def _text(self, stored: StoredValue) -> str:
        return shown(self._renderer.value(stored, self._site))


def _place(stored: StoredValue) -> Place:
    return Place(stored.layer, stored.place)
