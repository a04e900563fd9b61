"""When a rollout holds and stops, and which hits count: tables."""

import pytest

from tms.rollouts.effects.decision import Standing, decide, has_failed, is_enough, mean_evidence
from tms.rollouts.effects.exclusions import Facts, HitLeftOut, left_out

QUIET = Standing()


@pytest.mark.parametrize(
    ("standings", "action"),
    [
        ([], "go_on"),
        ([QUIET], "go_on"),
        ([Standing(9.9)], "go_on"),
        ([Standing(10)], "hold"),
        ([Standing(99, 5, 9, 1)], "hold"),
        ([Standing(100, 5, 9, 1)], "stop"),
        ([Standing(100, 2, 9, 1)], "hold"),
        ([Standing(100, 5, 9, 8)], "hold"),
        ([Standing(300, 5, 9, 1), QUIET, QUIET], "stop"),
        ([Standing(200, 5, 9, 1), QUIET, QUIET], "hold"),
        # The measure whose evidence stops it has to be the one that hit enough terminals.
        ([Standing(300, 2, 2, 1), Standing(1, 50, 90, 20)], "hold"),
    ],
)
def test_decisions(standings, action):
    assert decide(standings) == action


def test_the_evidence_is_the_mean_of_the_measures():
    assert mean_evidence([Standing(3), Standing(5)]) == 4


@pytest.mark.parametrize(
    ("ended", "failed", "percent", "is_over"),
    [
        (19, 19, 2, False),
        (20, 2, 2, False),
        (20, 3, 2, True),
        (150, 3, 2, False),
        (149, 3, 2, True),
        (20, 20, 0, False),
    ],
)
def test_the_plain_threshold_of_installations(ended, failed, percent, is_over):
    assert has_failed(ended=ended, failed=failed, percent=percent, at_least=20) == is_over


@pytest.mark.parametrize(
    ("compared", "smallest", "enough"), [(8, 5, True), (7.9, 5, False), (8, None, False), (8, 11, False)]
)
def test_when_a_wave_was_watched_enough(compared, smallest, enough):
    assert is_enough(compared_days=compared, wanted_days=10, smallest=smallest) == enough


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (Facts(), None),
        (Facts("application"), None),
        (Facts("power"), None),
        (Facts("network"), HitLeftOut.CAUSE),
        (Facts("server"), HitLeftOut.CAUSE),
        (Facts("planned"), HitLeftOut.CAUSE),
        (Facts("unclear"), None),
        (Facts("unclear", is_unclear_for_both=True), HitLeftOut.UNCLEAR),
        (Facts("application", is_unclear_for_both=True), None),
        (Facts(in_maintenance=True), HitLeftOut.MAINTENANCE),
        (Facts(in_shared_incident=True), HitLeftOut.INCIDENT),
        (Facts(is_about_software=True), HitLeftOut.ABOUT_SOFTWARE),
    ],
)
def test_which_hits_do_not_count(facts, reason):
    assert left_out(facts) == reason
