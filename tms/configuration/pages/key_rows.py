"""The rows of the table of keys: what stands in each layer, as far as the person sees it."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from tms.accounts.access import Person, visible
from tms.configuration.change_rows import shown_value
from tms.configuration.models import ConfigurationKey, ConfigurationVersion, Layer, LayerValue
from tms.configuration.places import Place, names_of


@dataclass
class LayerCell:
    """A value at a place, before and after the draft."""

    place: Place
    name: str = ""
    before: str | None = None
    after: str | None = None
    since: ConfigurationVersion | None = None
    is_changed: bool = False
    """Whether the draft changes it; a secret that becomes another one looks the same."""

    @property
    def layer_label(self) -> str:
        return str(self.place.layer.label)


@dataclass
class ConfigurationKeyRow:
    key: ConfigurationKey
    cells: list[LayerCell] = field(default_factory=list)

    def of(self, *layers: Layer) -> list[LayerCell]:
        return [cell for cell in self.cells if cell.place.layer in layers]

    @property
    def fleet(self) -> LayerCell | None:
        return next(iter(self.of(Layer.FLEET)), None)

    @property
    def wide(self) -> list[LayerCell]:
        """Regions and groups."""
        return self.of(Layer.REGION, Layer.GROUP)

    @property
    def sites(self) -> int:
        return len(self.of(Layer.SITE))

    @property
    def terminals(self) -> int:
        return len(self.of(Layer.TERMINAL))

    @property
    def is_overridden(self) -> bool:
        return any(cell.place.layer is not Layer.FLEET for cell in self.cells)

    @property
    def is_changed(self) -> bool:
        return any(cell.is_changed for cell in self.cells)

    @property
    def section(self) -> str:
        return self.key.name.partition(".")[0]

    def matches(self, words: str) -> bool:
        texts = (self.key.name, self.key.meaning, *(cell.after or "" for cell in self.cells))
        return any(words.casefold() in text.casefold() for text in texts)


def rows_of(
    keys: Collection[ConfigurationKey], draft: ConfigurationVersion | None, *, to: Person
) -> list[ConfigurationKeyRow]:
    """The values in force, and those of the draft: two queries, and one for the names of each layer."""
    rows = visible(LayerValue.objects.filter(key__in=keys), to=to)
    in_force = rows.filter(until=None)
    ended = rows.filter(until=draft) if draft else rows.none()
    values = list((in_force | ended).select_related("since"))
    names = names_of({Place.of(value) for value in values})
    cells = _cells(values, names, draft)
    return [ConfigurationKeyRow(key, _sorted(cells[key.pk].values())) for key in keys]


def _cells(
    values: Iterable[LayerValue], names: dict[Place, str], draft: ConfigurationVersion | None
) -> defaultdict[int, dict[Place, LayerCell]]:
    found: defaultdict[int, dict[Place, LayerCell]] = defaultdict(dict)
    for value in values:
        place = Place.of(value)
        cell = found[value.key_id].setdefault(place, LayerCell(place, names[place]))
        text = shown_value(value)
        if draft and value.since_id == draft.pk:
            cell.after, cell.is_changed = text, True
        elif draft and value.until_id == draft.pk:
            cell.before, cell.since, cell.is_changed = text, value.since, True
        else:
            cell.before = cell.after = text
            cell.since = value.since
    return found


def _sorted(cells: Iterable[LayerCell]) -> list[LayerCell]:
    order = list(Layer)
    return sorted(cells, key=lambda cell: (order.index(cell.place.layer), cell.name))
