"""Contents: the rendered values of many terminals, with a fixed number of queries for all of them."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from django.db.models import Q

from tms.configuration.layers import Effective, Layers, StoredValue, Whereabouts
from tms.configuration.models import ConfigurationKey, Layer, LayerValue
from tms.configuration.values.secrets import MASKED, DecryptionError, digest_of, reveal
from tms.configuration.values.variables import Variables, rendered
from tms.fleet.models import Group, Region, Site, SiteAttribute, SiteContact, Terminal
from tms.lib.db import rows as db_rows


class Content(NamedTuple):
    """What a terminal shall have."""

    values: Mapping[str, Any]
    digest: str
    size: int
    """Bytes as JSON."""
    broken: tuple[str, ...]
    """Keys whose secrets cannot be decrypted."""


class FleetPlaces:
    """Where terminals are: five queries for all of them."""

    def __init__(self, terminals: Collection[int]) -> None:
        rows = list(
            Terminal.objects.filter(pk__in=db_rows.keys_of(terminals))
            .order_by()
            .values_list("pk", "model", "site", "site__region")
        )
        regions = dict(Region.objects.values_list("name", "pk"))
        groups = _groups_of(terminals)
        self.of = {
            pk: Whereabouts(model, regions.get(region, 0), groups.get(pk, ()), site, pk)
            for pk, model, site, region in rows
        }

    @property
    def sites(self) -> set[int]:
        return {where.site for where in self.of.values()}


def _groups_of(terminals: Collection[int]) -> dict[int, tuple[int, ...]]:
    """The groups of each terminal that have values, in the order of their names."""
    with_values = LayerValue.objects.filter(layer=Layer.GROUP).values("group")
    names = dict(Group.objects.filter(pk__in=with_values).values_list("pk", "name"))
    members = Group.terminals.through.objects.filter(
        group__in=list(names), terminal__in=db_rows.keys_of(terminals)
    ).values_list("terminal", "group")
    found: defaultdict[int, list[int]] = defaultdict(list)
    for terminal, group in members:
        found[terminal].append(group)
    return {
        terminal: tuple(sorted(groups, key=lambda pk: (names[pk].casefold(), pk))) for terminal, groups in found.items()
    }


class VersionLayers:
    """The values that may reach these terminals, at any of these versions."""

    def __init__(self, places: FleetPlaces, numbers: Collection[int]) -> None:
        self._rows = _values_for(places, numbers)
        self._models_of = dict(ConfigurationKey.objects.values_list("name", "for_models"))
        self._layers: dict[int, Layers] = {}

    def at(self, number: int) -> Layers:
        if number not in self._layers:
            values = (
                value for value, since, until in self._rows if since <= number and (until is None or until > number)
            )
            self._layers[number] = Layers(values, self._models_of)
        return self._layers[number]


def _values_for(places: FleetPlaces, numbers: Collection[int]) -> list[tuple[StoredValue, int, int | None]]:
    wheres = places.of.values()
    rows = (
        LayerValue.objects.filter(since__number__lte=max(numbers, default=0))
        .exclude(until__number__lte=min(numbers, default=0))
        .filter(
            Q(layer=Layer.FLEET)
            | Q(region__in={where.region for where in wheres})
            | Q(group__in={group for where in wheres for group in where.groups})
            | Q(site__in=db_rows.keys_of(places.sites))
            | Q(terminal__in=db_rows.keys_of(places.of))
        )
        .values_list(
            "key__name",
            "layer",
            "region",
            "group",
            "site",
            "terminal",
            "value",
            "secret",
            "since__number",
            "until__number",
        )
    )
    return [
        (StoredValue(key, Layer(layer), region or group or site or terminal or 0, value, secret), since, until)
        for key, layer, region, group, site, terminal, value, secret, since, until in rows
    ]


class ContentRenderer:
    """Makes contents of effective values. Those of terminals that share them are made once."""

    def __init__(self, sites: Collection[int]) -> None:
        self._variables = variables_of(sites)
        self._made: dict[tuple[int, int], Content] = {}
        self._kept: list[Effective] = []
        self._revealed: dict[str, Any] = {}

    def content(self, effective: Effective, site: int) -> Content:
        key = id(effective), site
        if key not in self._made:
            self._kept.append(effective)  # so that no other one gets its id
            self._made[key] = self._make(effective, site)
        return self._made[key]

    def value(self, stored: StoredValue, site: int) -> Any:
        """The rendered value; secrets are masked."""
        return MASKED if stored.secret else rendered(stored.value, self._variables.get(site, {}))

    def _make(self, effective: Effective, site: int) -> Content:
        values, broken = {}, []
        for name in sorted(effective):
            stored = effective[name].stored
            try:
                value = self._reveal(stored.secret) if stored.secret else stored.value
            except DecryptionError:
                broken.append(name)
                continue
            values[name] = rendered(value, self._variables.get(site, {}))
        text = json.dumps(values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return Content(values, digest_of(text), len(text.encode()), tuple(broken))

    def _reveal(self, secret: str) -> Any:
        if secret not in self._revealed:
            self._revealed[secret] = reveal(secret)
        return self._revealed[secret]


def contents_of(versions: Mapping[int, int]) -> dict[int, Content]:
    """The content of each terminal at the version with this number. Call it for some hundreds at a time."""
    places = FleetPlaces(versions)
    layers, renderer = VersionLayers(places, set(versions.values())), ContentRenderer(places.sites)
    return {
        pk: renderer.content(layers.at(versions[pk]).effective(where), where.site) for pk, where in places.of.items()
    }


def variables_of(sites: Iterable[int]) -> Mapping[int, Variables]:
    """The variables that have a value at each of these sites."""
    keys = list(sites)
    found: dict[int, dict[str, str]] = defaultdict(dict)
    attributes = SiteAttribute.objects.filter(site__in=db_rows.keys_of(keys)).select_related("attribute")
    for attribute in attributes.order_by():
        found[attribute.site_id][f"site.{attribute.attribute.name}"] = str(attribute)
    contacts = SiteContact.objects.filter(site__in=db_rows.keys_of(keys)).exclude(phone="")
    phones = dict(contacts.order_by("-position", "-pk").values_list("site", "phone"))
    for site in Site.objects.filter(pk__in=db_rows.keys_of(keys)).order_by():
        of_site = {name: getattr(site, name) for name in ("code", "name", "name_ja", "address", "time_zone")}
        texts = {"region": site.region, "site.phone": phones.get(site.pk, "")}
        texts |= {f"site.{name}": text for name, text in of_site.items()}
        found[site.pk] |= {name: text for name, text in texts.items() if text}
    return found
