"""Places: where a value stands. The whole fleet, a region, a group, a site or a terminal."""

from typing import Any, NamedTuple, Self

from django.db.models import Model, QuerySet

from tms.accounts.access import Person, demand, demand_within, may, may_within, visible
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING, Scope
from tms.configuration.layers import FLEET
from tms.configuration.models import Layer, LayerValue
from tms.fleet.models import Group, Region, Site, Terminal
from tms.query.editing import condition

EDIT = Permission.EDIT_CONFIGURATION
MODELS: dict[Layer, tuple[type[Model], str]] = {
    Layer.REGION: (Region, "name"),
    Layer.GROUP: (Group, "name"),
    Layer.SITE: (Site, "code"),
    Layer.TERMINAL: (Terminal, "uid"),
}
"""The rows that layers name, and by which column people and integrators name them."""

QUERY_FIELDS = {Layer.REGION: "region", Layer.GROUP: "group", Layer.SITE: "site", Layer.TERMINAL: "uid"}


class Place(NamedTuple):
    layer: Layer
    id: int = FLEET

    @classmethod
    def of(cls, value: LayerValue) -> Self:
        return cls(Layer(value.layer), value.place_id)

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of a row of `LayerValue`."""
        columns: dict[str, Any] = {"layer": self.layer}
        return columns if self.layer is Layer.FLEET else columns | {f"{self.layer.value}_id": self.id}

    @property
    def row(self) -> Model | None:
        """None for the fleet."""
        if self.layer is Layer.FLEET:
            return None
        return MODELS[self.layer][0]._default_manager.get(pk=self.id)

    @property
    def scope(self) -> Scope | None:
        """None for a terminal, which belongs to several."""
        match self.layer:
            case Layer.FLEET:
                return EVERYTHING
            case Layer.REGION:
                return Scope.of(region=str(Region.objects.get(pk=self.id).name))
            case Layer.GROUP:
                return Scope.of(group=self.id)
            case Layer.SITE:
                return Scope.of(site=self.id)
        return None

    def may_edit(self, person: Person) -> bool:
        scope, row = self.scope, self.row
        return may_within(person, EDIT, scope) if scope is not None else may(person, EDIT, row)

    def demand_edit(self, person: Person) -> None:
        """Raises Forbidden."""
        scope, row = self.scope, self.row
        if scope is not None:
            demand_within(person, EDIT, scope)
        elif row is not None:
            demand(person, EDIT, row)


def query_of(places: set[Place]) -> str:
    """The query for the terminals of these places; empty if the whole fleet is one of them."""
    names = names_of(places)
    if Place(Layer.FLEET) in places:
        return ""
    layers = sorted({place.layer for place in places}, key=list(Layer).index)
    return " or ".join(
        condition(QUERY_FIELDS[layer], sorted(names[place] for place in places if place.layer is layer))
        for layer in layers
    )


def find_place(layer: str, name: str, *, to: Person) -> Place | None:
    """The place of this name: a region, a group, the code of a site, a UID. None if the person sees none."""
    if layer == Layer.FLEET:
        return Place(Layer.FLEET)
    if layer not in Layer:
        return None
    model, column = MODELS[Layer(layer)]
    rows: QuerySet[Any] = model._default_manager.filter(**{column: name})
    found = visible(rows, to=to).values_list("pk", flat=True).first()
    return None if found is None else Place(Layer(layer), found)


def seen_places(places: set[Place], *, to: Person) -> set[Place]:
    """The places that the person sees: one query for each layer."""
    found = {place for place in places if place.layer is Layer.FLEET}
    for layer, (model, _) in MODELS.items():
        rows = model._default_manager.filter(pk__in=[place.id for place in places if place.layer is layer])
        found |= {Place(layer, pk) for pk in visible(rows, to=to).values_list("pk", flat=True)}
    return found


def names_of(places: set[Place]) -> dict[Place, str]:
    """The names of places, a query for each layer; empty for the fleet."""
    found = {place: "" for place in places if place.layer is Layer.FLEET}
    for layer, (model, column) in MODELS.items():
        pks = [place.id for place in places if place.layer is layer]
        if pks:
            rows = model._default_manager.filter(pk__in=pks).values_list("pk", column)
            found |= {Place(layer, pk): name for pk, name in rows}
    return found
