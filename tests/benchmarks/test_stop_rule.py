"""A small part of the simulation, of fixed seeds: `python -m benchmarks.stop_rule` has the table."""

import pytest

from benchmarks.stop_rule.__main__ import interval
from benchmarks.stop_rule.fleets import ROUGH
from benchmarks.stop_rule.runs import Case, run

SMALLER = {"terminals": 240, "sites": 20, "waves": (10, 40, 100)}


@pytest.mark.parametrize("kind", ["ordinary", "rough"])
def test_harmless_rollouts_go_on(kind):
    case = Case("good", **SMALLER, **({"kind": ROUGH} if kind == "rough" else {}))

    stopped = [seed for seed in range(20) if run(case, seed).stopped_at is not None]

    # Of 20 with a chance of 1 in 100 each, three are stopped once in a thousand.
    assert len(stopped) < 3


@pytest.mark.parametrize(
    ("harm", "by_hour"),
    [({"restarts": 1.8}, 36), ({"leak": 0.3}, 24), ({"faults": 0.05}, 48)],
    ids=["restarts", "leak", "card reader"],
)
def test_harmful_rollouts_stop_early(harm, by_hour):
    outcomes = [run(Case("bad", **SMALLER, **harm), seed) for seed in range(6)]

    assert all(outcome.stopped_at is not None and outcome.stopped_at <= by_hour for outcome in outcomes)


def test_nothing_is_noticed_where_nobody_waits():
    """Each site has one terminal: it is updated, and there is no other beside it."""
    outcome = run(Case("bad", restarts=1.8, terminals=12, sites=4, waves=(4, 4)), seed=1)

    assert outcome.stopped_at is None


def test_the_interval_of_a_share():
    low, high = interval(2, 1000)

    assert (low, high) == (pytest.approx(0.00055, abs=1e-5), pytest.approx(0.00726, abs=1e-5))
