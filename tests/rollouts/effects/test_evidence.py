"""Evidence against plain reimplementations, and what must add none."""

from math import comb, exp, prod

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.rollouts.effects import betting, noticeable, strata
from tms.rollouts.effects.betting import RATIOS
from tms.rollouts.effects.noticeable import Beside
from tms.rollouts.effects.rates import expected_rate
from tms.rollouts.effects.strata import Counts, Exposure, StratumMember
from tms.rollouts.effects.tally import EvidenceTally

COUNTS = st.builds(
    Counts,
    st.lists(st.integers(1, 50), min_size=1, max_size=4, unique=True).map(tuple),
    st.integers(0, 20),
    st.floats(0.001, 2),
    st.floats(0.001, 2),
)


def plain_factor(counts: Counts, ratio: float) -> float:
    """The factor as the derivation writes it."""
    p0 = counts.updated / (counts.updated + counts.waiting)
    p1 = ratio * counts.updated / (ratio * counts.updated + counts.waiting)
    return counts.share * p1 / p0 + (1 - counts.share) * (1 - p1) / (1 - p0)


@given(st.lists(st.lists(COUNTS, max_size=4), max_size=8))
def test_a_tally_that_grows_equals_one_computed_at_once(hours):
    tally = EvidenceTally()
    for hour in hours:
        for counts in hour:
            tally.add(counts)
            tally.expose(Exposure(0.5, 1))
        tally = EvidenceTally.load(msgspec.json.decode(msgspec.json.encode(tally.dump())))

    every = [counts for hour in hours for counts in hour]
    evidence = sum(prod(plain_factor(counts, ratio) for counts in every) for ratio in RATIOS) / len(RATIOS)
    assert tally.evidence == pytest.approx(min(evidence, 1e9), rel=1e-6)
    assert tally.updated_hits == sum(len(counts.updated_hit) for counts in every)
    assert tally.expected == pytest.approx(sum(counts.hits * counts.expected for counts in every))
    assert tally.updated_days == 0.5 * len(every)


@given(st.integers(1, 12), st.integers(1, 12), st.integers(1, 24))
def test_a_bet_on_hits_is_fair_whoever_is_drawn(updated, waiting, hit):
    """Each set of `hit` terminals is equally likely: the mean of the factor over them is 1."""
    hit = min(hit, updated + waiting)
    ways = {number: _ways(updated, waiting, hit, number) for number in range(hit + 1)}
    for index, _ in enumerate(RATIOS):
        factors = {number: betting.bet_on_hits(number / hit, updated / (updated + waiting))[index] for number in ways}
        mean = sum(ways[number] * exp(factors[number]) for number in ways) / sum(ways.values())
        assert mean == pytest.approx(1)


def _ways(updated: int, waiting: int, hit: int, number: int) -> int:
    return comb(updated, number) * comb(waiting, hit - number)


def test_a_bet_on_readings_is_fair_whoever_is_updated():
    """The leans cancel out over every choice of the updated terminal among five."""
    values = [0.3, -1.0, 4.0, 0.3, 2.0]
    leans = [betting.mean_leans([value], values[:at] + values[at + 1 :])[0] for at, value in enumerate(values)]

    assert sum(leans) == pytest.approx(0)


@pytest.mark.parametrize(
    ("counts", "evidence"),
    [
        (Counts((1,), 0, 0.1, 0.9), "above"),
        (Counts((), 1, 0.1, 0.9), "below"),
        (Counts((1,), 9, 0.1, 0.9), "equal"),
        (Counts((1, 2, 3), 27, 0.1, 0.9), "equal"),
    ],
)
def test_which_hits_are_evidence(counts, evidence):
    tally = EvidenceTally()

    tally.add(counts)

    compared = {
        "above": tally.evidence > 1.01,
        "below": tally.evidence < 0.99,
        "equal": tally.evidence == pytest.approx(1),
    }
    assert compared[evidence]


def test_hits_count_within_a_stratum_and_once_in_an_episode():
    members = [
        StratumMember(1, "KX-21", is_updated=True),
        StratumMember(2, "KX-21", is_updated=False),
        StratumMember(3, "KX-21", is_updated=False),
        StratumMember(4, "KX-20", is_updated=True),
        StratumMember(5, "KX-30", is_updated=True),
        StratumMember(6, "KX-30", is_updated=False),
    ]
    rates = dict.fromkeys(range(1, 7), 0.24)

    found = strata.count(members, {1, 3, 4, 6}, {3, 6}, rates)

    assert found == [Counts((1,), 0, pytest.approx(0.01), pytest.approx(0.01))]
    assert strata.exposures(members) == [Exposure(1 / 24, 2 / 24), Exposure(1 / 24, 1 / 24)]


def test_a_short_history_is_shrunk_to_the_mean():
    assert expected_rate(0, 0, 0.2) == pytest.approx(0.2)
    assert expected_rate(28, 14, 0.2) == pytest.approx((28 + 1.4) / 21)


def test_larger_waves_notice_smaller_effects():
    canary, tenth, half = [Beside(1, 9)] * 12, [Beside(1, 9)] * 50, [Beside(5, 5)] * 50
    ratios = [noticeable.smallest_ratio(wave, rate=0.2, days=1, measures=10) for wave in (canary, tenth, half)]
    slopes = [noticeable.smallest_slope(wave, noise=0.5, days=1, measures=10) for wave in (canary, tenth, half)]

    for found in (ratios, slopes):
        assert all(found)
        assert found == sorted(found, reverse=True)


@pytest.mark.parametrize(
    "wave", [[], [Beside(500, 0)], [Beside(1, 6)] * 2], ids=["nobody", "nobody waits", "a fleet of a dozen"]
)
def test_what_small_fleets_and_whole_sites_cannot_notice(wave):
    assert noticeable.smallest_ratio(wave, rate=0.2, days=1, measures=10) is None
