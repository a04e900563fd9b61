"""Effective values equal a plain reimplementation: for each key, the last value of the last layer that has one."""

from hypothesis import given
from hypothesis import strategies as st

from tms.configuration.layers import Layers, StoredValue, Whereabouts
from tms.configuration.models import Layer

KEYS, MODELS, PLACES = ("a", "b", "c"), ("KX-21", "PX-300"), (1, 2, 3)
values = st.builds(
    StoredValue,
    key=st.sampled_from(KEYS),
    layer=st.sampled_from(Layer),
    place=st.sampled_from(PLACES),
    value=st.integers(),
).map(lambda one: one._replace(place=0) if one.layer == Layer.FLEET else one)
whereabouts = st.builds(
    Whereabouts,
    model=st.sampled_from(MODELS),
    region=st.sampled_from((0, *PLACES)),
    groups=st.lists(st.sampled_from(PLACES), unique=True).map(tuple),
    site=st.sampled_from(PLACES),
    terminal=st.sampled_from(PLACES),
)


@given(
    st.lists(values, unique_by=lambda one: one[:3]),
    st.dictionaries(st.sampled_from(KEYS), st.lists(st.sampled_from(MODELS), unique=True)),
    st.lists(whereabouts, min_size=1, max_size=5),
)
def test_the_last_layer_wins(
    stored: list[StoredValue], models_of: dict[str, list[str]], terminals: list[Whereabouts]
) -> None:
    layers = Layers(stored, models_of)
    for where in terminals:
        effective = layers.effective(where)
        assert {key: found.stored for key, found in effective.items()} == _plain(stored, models_of, where)
        assert all(found.stored not in found.over for found in effective.values())


def _plain(stored: list[StoredValue], models_of: dict[str, list[str]], where: Whereabouts) -> dict[str, StoredValue]:
    found = {}
    for key, models in models_of.items():
        if models and where.model not in models:
            continue
        of_key = [one for one in stored if one.key == key]
        at_terminal = [one for one in of_key if one.layer == Layer.TERMINAL and one.place == where.terminal]
        at_site = [one for one in of_key if one.layer == Layer.SITE and one.place == where.site]
        in_groups = [
            one for group in reversed(where.groups) for one in of_key if one.layer == Layer.GROUP and one.place == group
        ]
        in_region = [one for one in of_key if one.layer == Layer.REGION and one.place == where.region]
        of_fleet = [one for one in of_key if one.layer == Layer.FLEET]
        if candidates := [*at_terminal, *at_site, *in_groups, *in_region, *of_fleet]:
            found[key] = candidates[0]
    return found
