"""The times for which terminals had the status `fault`."""

from datetime import timedelta

from tests.support.builders import AT, Fleet
from tms.clock.jobs import LOOPS
from tms.fleet.models import TerminalState
from tms.ops.purge import purge
from tms.rollouts.models import TerminalFault

MINUTE = timedelta(minutes=1)


def run_loops(at):
    """A pass of the clock while no rollout is watched."""
    for loop in LOOPS:
        if loop.name in ("rollout_effects", "terminal_faults"):
            loop.run(at, is_checked=False)


def report(terminal, status, at):
    TerminalState.objects.filter(terminal=terminal).update(status=status, status_at=at)


def test_a_fault_is_noted_without_a_rollout_and_ends_when_the_status_changes(fleet: Fleet):
    terminal = fleet.terminal()
    report(terminal, "fault", AT)
    run_loops(AT + MINUTE)

    report(terminal, "ok", AT + 10 * MINUTE)
    run_loops(AT + timedelta(days=9))

    [fault] = TerminalFault.objects.all()
    assert (fault.began_at, fault.ended_at) == (AT, AT + 10 * MINUTE)


def test_a_second_fault_ends_the_first(fleet: Fleet):
    terminal = fleet.terminal()
    report(terminal, "fault", AT)
    run_loops(AT + MINUTE)

    report(terminal, "fault", AT + 5 * MINUTE)
    run_loops(AT + 6 * MINUTE)

    found = TerminalFault.objects.order_by("began_at").values_list("began_at", "ended_at")
    assert list(found) == [(AT, AT + 5 * MINUTE), (AT + 5 * MINUTE, None)]


def test_faults_are_deleted_after_the_history_that_is_compared(fleet: Fleet):
    for days in (14, 16):
        TerminalFault.objects.create(
            terminal=fleet.terminal(), began_at=AT, ended_at=AT + timedelta(days=30) - timedelta(days=days)
        )

    purge(AT + timedelta(days=30))

    assert TerminalFault.objects.count() == 1
