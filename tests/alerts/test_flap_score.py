"""The flap score of an alert."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tms.alerts.models.flap_score import FULL, flap_score, stable_from

WINDOW_S = 1800.0
AGES = st.lists(st.floats(0, 2 * WINDOW_S), min_size=1, max_size=FULL)


@pytest.mark.parametrize(
    ("ages", "says"),
    [
        ([], 0),
        ([0], 0.06),
        ([1799.999], 0.04),
        ([1800], 0),
        ([-5], 0.06),
        ([900] * 5, 0.25),
        ([900] * 20, 1),
        ([0] * 100, 1),
    ],
)
def test_newer_changes_count_for_more_and_twenty_are_the_maximum(ages, says):
    assert flap_score([-age for age in ages], at=0, window_s=WINDOW_S) == pytest.approx(says, abs=1e-6)


@given(ages=AGES, low=st.sampled_from([0.01, 0.15, 0.25, 0.79]))
def test_it_is_stable_at_the_exact_time_at_which_the_score_reaches_the_threshold(ages, low):
    changes = [-age for age in ages]

    stable_at = stable_from(changes, low=low, window_s=WINDOW_S)

    assert stable_at >= max(changes)
    assert flap_score(changes, at=stable_at + 0.001, window_s=WINDOW_S) <= low
    if stable_at > max(changes):
        assert flap_score(changes, at=stable_at - 0.001, window_s=WINDOW_S) > low
