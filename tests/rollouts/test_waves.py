"""The waves of a rollout: disjoint, complete, the same for the same seed, and alike."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.rollouts.models import WaveKind
from tms.rollouts.waves.drawing import WaveDraw, WaveTarget, draw

DEFAULT = (
    WaveDraw(WaveKind.CANARY, 12),
    WaveDraw(WaveKind.SHARE, 10),
    WaveDraw(WaveKind.SHARE, 40),
    WaveDraw(WaveKind.REST),
    WaveDraw(WaveKind.HELD_BACK),
)
FLEET = [WaveTarget(pk, pk % 20, "KX-21" if pk % 3 else "KX-20") for pk in range(400)]

fleets = st.lists(st.tuples(st.integers(0, 8), st.sampled_from(["A", "B", "C"])), max_size=60).map(
    lambda rows: [WaveTarget(pk, site, model) for pk, (site, model) in enumerate(rows)]
)
plans = st.lists(st.builds(WaveDraw, st.sampled_from(WaveKind), st.integers(0, 100)), min_size=1, max_size=6)


@given(fleets, st.integers(), plans)
def test_each_terminal_is_in_exactly_one_wave(fleet, seed, plan):
    waves = draw(fleet, plan, seed=seed)

    assert sorted(terminal for wave in waves for terminal in wave) == [target.terminal for target in fleet]
    assert waves == draw(reversed(fleet), plan, seed=seed)


@given(fleets, st.integers())
def test_a_canary_has_one_terminal_a_site_and_one_is_held_back_unless_it_is_the_only_one(fleet, seed):
    canary, *_, held_back = draw(fleet, DEFAULT, seed=seed)

    site = {target.terminal: target.site for target in fleet}
    number = Counter(site.values())
    assert Counter(site[pk] for pk in held_back) == {pk: 1 for pk, terminals in number.items() if terminals > 1}
    assert len({site[pk] for pk in canary}) == len(canary) == min(12, len(number))


def test_waves_have_their_sizes_and_are_alike():
    waves = draw(FLEET, DEFAULT, seed=7)

    model = {target.terminal: target.model for target in FLEET}
    site = {target.terminal: target.site for target in FLEET}
    assert [len(wave) for wave in waves] == [12, 40, 160, 168, 20]
    assert [Counter(model[pk] for pk in wave)["KX-20"] for wave in waves[:3]] == pytest.approx([4, 13, 53], abs=4)
    assert max(Counter(site[pk] for pk in waves[1]).values()) <= 4
    assert waves != draw(FLEET, DEFAULT, seed=8)


def test_whole_sites_are_updated_together():
    first, rest = draw(FLEET, [WaveDraw(WaveKind.SITES, 3), WaveDraw(WaveKind.REST)], seed=1)

    site = {target.terminal: target.site for target in FLEET}
    assert len({site[pk] for pk in first}) == 3
    assert not {site[pk] for pk in first} & {site[pk] for pk in rest}
