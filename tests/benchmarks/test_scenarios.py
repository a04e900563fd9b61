"""What scenarios count, so that a figure is reached only if everything was there."""

from benchmarks.load.commands import ChangeTimes, Reported
from benchmarks.measuring.figure import Count
from benchmarks.scenarios.reports import count_acknowledged, count_boards, count_committed, count_terminals


def test_a_report_that_was_acknowledged_but_not_committed_is_missing():
    assert count_committed(1_000, 999) == Count(999, 1_000)
    assert count_committed(1_000, 1_004).is_complete  # not yet acknowledged


def test_a_report_without_an_acknowledgement_at_the_end_is_missing():
    assert count_acknowledged(Reported(in_all=990, unacknowledged=10)) == {"reports acknowledged": Count(990, 1_000)}


def test_a_terminal_that_did_not_boot_or_lost_its_link_is_missing():
    assert count_terminals(1_999, Reported(lost_links=4), 2_000) == {"terminals connected": Count(1_995, 2_000)}


def test_a_board_that_never_showed_a_change_is_missing():
    watched = ChangeTimes(ages=[0.1, 0.2, 5.0], unseen=1, lost_boards=1)

    assert count_boards(watched, 20) == {"boards connected": Count(19, 20), "changes shown": Count(2, 3)}
