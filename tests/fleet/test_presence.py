"""Transitions of presence: every link state, and every event."""

from datetime import datetime, timedelta

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace

from tests.support.builders import AT, later
from tms.fleet.models import Cause, Presence
from tms.fleet.presence import state_machine
from tms.fleet.presence.state_machine import LinkState, Timing

TIMING = Timing(
    heartbeat_s=30,
    lease_grace_s=15,
    offline_after_s=30,
    reboot_allowance_s=300,
    reconnect_grace_s=90,
    longest_goodbye_s=86_400,
)
LEASE_S = 45
DAY_S = 86_400

LINK_STATES = {
    "never": {"presence": Presence.NEVER, "presence_at": None, "last_seen_at": None},
    "online": {"presence": Presence.ONLINE, "lease_at": later(LEASE_S), "due_at": later(LEASE_S), "session": 4},
    "silent": {"presence": Presence.SILENT, "cause": Cause.CONNECTION_LOST, "due_at": later(30), "session": 4},
    "orphaned": {"presence": Presence.SILENT, "cause": Cause.NODE_STOPPED, "due_at": later(90), "session": 4},
    "rebooting": {
        "presence": Presence.REBOOTING,
        "cause": Cause.REBOOT,
        "back_at": later(300),
        "due_at": later(300),
        "session": 4,
    },
    "closed": {"presence": Presence.CLOSED, "cause": Cause.CLOSING, "session": 4},
    "closed until": {
        "presence": Presence.CLOSED,
        "cause": Cause.CLOSING,
        "back_at": later(3600),
        "due_at": later(3600),
        "session": 4,
    },
    "shut down": {"presence": Presence.OFFLINE, "cause": Cause.SHUTDOWN, "session": 4},
    "offline": {"presence": Presence.OFFLINE, "cause": Cause.CONNECTION_LOST, "session": 4},
    "overdue": {"presence": Presence.OFFLINE, "cause": Cause.DID_NOT_RETURN, "session": 4},
}
LEFT = ("rebooting", "closed", "closed until", "shut down")
HERE = tuple(LINK_STATES.keys() - set(LEFT))


def link_state(name: str) -> LinkState:
    blank = LinkState(
        terminal_id=1,
        presence=Presence.NEVER,
        presence_at=AT,
        cause=Cause.NONE,
        back_at=None,
        due_at=None,
        lease_at=None,
        last_seen_at=AT,
        session=0,
        node="",
        boot_id="",
        seq=0,
        status="",
        status_at=None,
    )
    return replace(blank, **LINK_STATES[name])


def seen(terminal: LinkState) -> tuple[str, str, float | None, float | None]:
    """Presence, cause, and how many seconds after AT it is due and expected back."""
    return terminal.presence, terminal.cause, _seconds(terminal.due_at), _seconds(terminal.back_at)


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else (at - AT).total_seconds()


@pytest.mark.parametrize("name", LINK_STATES)
def test_a_boot_brings_any_terminal_online_and_begins_a_new_session(name):
    terminal = link_state(name)
    before = terminal.session

    move = state_machine.boot(terminal, at=later(10), node="b", boot_id="new", timing=TIMING)

    assert (terminal.presence, terminal.cause, terminal.back_at) == (Presence.ONLINE, Cause.NONE, None)
    assert (terminal.session, terminal.node, terminal.last_seen_at) == (before + 1, "b", later(10))
    assert terminal.lease_at == later(10 + LEASE_S)
    assert (move is None) == (name == "online")


@pytest.mark.parametrize("name", LINK_STATES)
def test_a_live_report_brings_any_terminal_online(name):
    terminal = link_state(name)

    move = state_machine.report(terminal, at=later(10), timing=TIMING)

    assert (terminal.presence, terminal.cause, terminal.back_at) == (Presence.ONLINE, Cause.NONE, None)
    assert terminal.lease_at == later(10 + LEASE_S)
    assert (move is None) == (name == "online")


@pytest.mark.parametrize("name", sorted(HERE))
def test_any_frame_brings_a_terminal_online(name):
    terminal = link_state(name)

    move = state_machine.renew_lease(terminal, at=later(10), timing=TIMING)

    assert (terminal.presence, terminal.cause, terminal.back_at) == (Presence.ONLINE, Cause.NONE, None)
    assert terminal.lease_at == later(10 + LEASE_S)
    assert (move is None) == (name == "online")


@pytest.mark.parametrize("name", LEFT)
def test_a_heartbeat_does_not_cancel_a_goodbye(name):
    terminal = link_state(name)
    expected = seen(terminal)

    move = state_machine.renew_lease(terminal, at=later(10), timing=TIMING)

    assert move is None
    assert seen(terminal) == expected
    assert terminal.last_seen_at == later(10)


def test_a_change_contains_the_previous_presence_and_when():
    terminal = link_state("silent")

    move = state_machine.renew_lease(terminal, at=later(10), timing=TIMING)

    assert move == state_machine.LinkStateChange(1, later(10), Presence.SILENT, Presence.ONLINE, Cause.NONE, None, 4)
    assert terminal.presence_at == later(10)


def test_renewing_a_lease_does_not_change_the_indexed_due_time():
    terminal = link_state("online")

    state_machine.renew_lease(terminal, at=later(30), timing=TIMING)

    assert terminal.lease_at == later(30 + LEASE_S)
    assert terminal.due_at == later(LEASE_S)


def test_a_boot_with_another_id_restarts_the_count_of_reports_and_one_with_the_same_id_continues():
    terminal = replace(link_state("online"), boot_id="first", seq=7)

    state_machine.boot(terminal, at=AT, node="a", boot_id="first", timing=TIMING)
    same = terminal.seq
    state_machine.boot(terminal, at=AT, node="a", boot_id="second", timing=TIMING)

    assert (same, terminal.seq, terminal.boot_id) == (7, 0, "second")


GOODBYES = [
    # reason, back_at (s), presence, cause, due (s), back (s)
    ("reboot", 120, Presence.REBOOTING, Cause.REBOOT, 120, 120),
    ("reboot", None, Presence.REBOOTING, Cause.REBOOT, 300, 300),
    ("reboot", -1, Presence.REBOOTING, Cause.REBOOT, 300, 300),
    ("reboot", 0, Presence.REBOOTING, Cause.REBOOT, 300, 300),
    ("update", 900, Presence.REBOOTING, Cause.UPDATE, 900, 900),
    ("update", None, Presence.REBOOTING, Cause.UPDATE, 300, 300),
    ("closing", 3600, Presence.CLOSED, Cause.CLOSING, 3600, 3600),
    ("closing", None, Presence.CLOSED, Cause.CLOSING, DAY_S, None),
    ("closing", -3600, Presence.CLOSED, Cause.CLOSING, DAY_S, None),
    ("shutdown", 3600, Presence.CLOSED, Cause.SHUTDOWN, 3600, 3600),
    ("shutdown", None, Presence.OFFLINE, Cause.SHUTDOWN, None, None),
    ("shutdown", -3600, Presence.OFFLINE, Cause.SHUTDOWN, None, None),
    ("closing", 73 * 365 * DAY_S, Presence.CLOSED, Cause.CLOSING, DAY_S, DAY_S),
    ("reboot", DAY_S + 1, Presence.REBOOTING, Cause.REBOOT, DAY_S, DAY_S),
    ("shutdown", 2 * DAY_S, Presence.CLOSED, Cause.SHUTDOWN, DAY_S, DAY_S),
]


@pytest.mark.parametrize(("reason", "back_at_s", "wanted", "cause", "due_s", "back_s"), GOODBYES)
def test_a_goodbye_sets_the_expectation(reason, back_at_s, wanted, cause, due_s, back_s):
    terminal = link_state("online")

    move = state_machine.bid_goodbye(
        terminal, reason=reason, back_at=None if back_at_s is None else later(back_at_s), at=AT, timing=TIMING
    )

    assert seen(terminal) == (wanted, cause, due_s, back_s)
    assert move is not None
    assert move.back_at == terminal.back_at


def test_a_second_goodbye_changes_the_return_time_and_not_the_presence():
    terminal = link_state("rebooting")

    move = state_machine.bid_goodbye(terminal, reason="update", back_at=later(600), at=later(5), timing=TIMING)

    assert move is None
    assert seen(terminal) == (Presence.REBOOTING, Cause.UPDATE, 600, 600)
    assert terminal.presence_at == AT


LOSSES = [
    ("online", Cause.CONNECTION_LOST, (Presence.SILENT, Cause.CONNECTION_LOST, 40, None)),
    ("online", Cause.NODE_STOPPED, (Presence.SILENT, Cause.NODE_STOPPED, 100, None)),
    ("silent", Cause.NODE_STOPPED, (Presence.SILENT, Cause.CONNECTION_LOST, 30, None)),
    ("orphaned", Cause.CONNECTION_LOST, (Presence.SILENT, Cause.NODE_STOPPED, 90, None)),
    ("rebooting", Cause.CONNECTION_LOST, (Presence.REBOOTING, Cause.REBOOT, 300, 300)),
    ("closed", Cause.CONNECTION_LOST, (Presence.CLOSED, Cause.CLOSING, None, None)),
    ("closed until", Cause.NODE_STOPPED, (Presence.CLOSED, Cause.CLOSING, 3600, 3600)),
    ("offline", Cause.CONNECTION_LOST, (Presence.OFFLINE, Cause.CONNECTION_LOST, None, None)),
    ("never", Cause.CONNECTION_LOST, (Presence.NEVER, Cause.NONE, None, None)),
]


@pytest.mark.parametrize(("name", "cause", "wanted"), LOSSES)
def test_a_lost_link_silences_only_online_terminals(name, cause, wanted):
    terminal = link_state(name)

    move = state_machine.lose(terminal, cause=cause, at=later(10), timing=TIMING)

    assert seen(terminal) == wanted
    assert (move is not None) == (name == "online")


SWEEPS = [
    # state, at (s), state afterwards
    ("online", 44, (Presence.ONLINE, Cause.NONE, 45, None)),
    ("online", 45, (Presence.SILENT, Cause.LEASE_RAN_OUT, 75, None)),
    ("silent", 29, (Presence.SILENT, Cause.CONNECTION_LOST, 30, None)),
    ("silent", 30, (Presence.OFFLINE, Cause.CONNECTION_LOST, None, None)),
    ("orphaned", 89, (Presence.SILENT, Cause.NODE_STOPPED, 90, None)),
    ("orphaned", 90, (Presence.OFFLINE, Cause.NODE_STOPPED, None, None)),
    ("rebooting", 299, (Presence.REBOOTING, Cause.REBOOT, 300, 300)),
    ("rebooting", 300, (Presence.OFFLINE, Cause.DID_NOT_RETURN, None, None)),
    ("closed", 99_999, (Presence.CLOSED, Cause.CLOSING, None, None)),
    ("closed until", 3600, (Presence.OFFLINE, Cause.DID_NOT_RETURN, None, None)),
    ("offline", 99_999, (Presence.OFFLINE, Cause.CONNECTION_LOST, None, None)),
    ("never", 99_999, (Presence.NEVER, Cause.NONE, None, None)),
]


@pytest.mark.parametrize(("name", "at_s", "wanted"), SWEEPS)
def test_the_sweep_acts_at_the_due_time_and_not_before(name, at_s, wanted):
    terminal = link_state(name)

    state_machine.sweep(terminal, at=later(at_s), timing=TIMING)

    assert seen(terminal) == wanted


def test_a_renewed_lease_only_moves_the_due_time():
    terminal = link_state("online")
    state_machine.renew_lease(terminal, at=later(40), timing=TIMING)

    move = state_machine.sweep(terminal, at=later(45), timing=TIMING)

    assert move is None
    assert seen(terminal) == (Presence.ONLINE, Cause.NONE, 40 + LEASE_S, None)


def test_a_late_return_is_online_as_usual():
    terminal = link_state("rebooting")
    state_machine.sweep(terminal, at=later(301), timing=TIMING)

    move = state_machine.boot(terminal, at=later(500), node="a", boot_id="new", timing=TIMING)

    assert move is not None
    assert (move.before, move.presence) == (Presence.OFFLINE, Presence.ONLINE)
    assert seen(terminal) == (Presence.ONLINE, Cause.NONE, 500 + LEASE_S, None)


def test_frames_from_before_the_silence_do_not_change_history():
    """A flush that waited for the database comes after the sweep that found the lease expired."""
    terminal = link_state("online")
    state_machine.sweep(terminal, at=later(50), timing=TIMING)

    move = state_machine.renew_lease(terminal, at=later(44), timing=TIMING)

    assert move is not None
    assert move.at == terminal.presence_at == later(50)
    assert terminal.lease_at == later(44 + LEASE_S)


class Life(RuleBasedStateMachine):
    """Any events of a terminal in any order; time advances."""

    @initialize()
    def begin(self) -> None:
        self.terminal, self.at, self.moves = link_state("never"), AT, []

    @rule(seconds=st.floats(0, 400))
    def wait(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)

    @rule(boot_id=st.sampled_from(["first", "second"]))
    def boot(self, boot_id: str) -> None:
        before = self.terminal.session
        self.note(state_machine.boot(self.terminal, at=self.at, node="a", boot_id=boot_id, timing=TIMING))
        assert self.terminal.session == before + 1

    @rule(late_s=st.floats(0, 60))
    def receive(self, late_s: float) -> None:
        self.note(state_machine.renew_lease(self.terminal, at=self.at - timedelta(seconds=late_s), timing=TIMING))

    @rule()
    def report(self) -> None:
        self.note(state_machine.report(self.terminal, at=self.at, timing=TIMING))
        assert self.terminal.presence == Presence.ONLINE

    @rule(reason=st.sampled_from(sorted(state_machine.REASONS)), back_s=st.none() | st.floats(-400, 400))
    def goodbye(self, reason: str, back_s: float | None) -> None:
        back_at = None if back_s is None else self.at + timedelta(seconds=back_s)
        self.note(state_machine.bid_goodbye(self.terminal, reason=reason, back_at=back_at, at=self.at, timing=TIMING))

    @rule(cause=st.sampled_from([Cause.CONNECTION_LOST, Cause.NODE_STOPPED]))
    def lose(self, cause: Cause) -> None:
        self.note(state_machine.lose(self.terminal, cause=cause, at=self.at, timing=TIMING))

    @rule()
    def sweep(self) -> None:
        self.note(state_machine.sweep(self.terminal, at=self.at, timing=TIMING))
        assert self.terminal.due_at is None or self.terminal.due_at > self.at

    def note(self, move: state_machine.LinkStateChange | None) -> None:
        if move is not None:
            self.moves.append(move)

    @invariant()
    def who_is_online_has_a_lease_and_no_excuse(self) -> None:
        if self.terminal.presence == Presence.ONLINE:
            assert self.terminal.lease_at is not None
            assert (self.terminal.cause, self.terminal.back_at) == (Cause.NONE, None)

    @invariant()
    def due_is_when_time_alone_changes_something(self) -> None:
        waits = {Presence.ONLINE, Presence.SILENT, Presence.REBOOTING, Presence.CLOSED}
        rests = {Presence.NEVER, Presence.OFFLINE}
        if self.terminal.presence in waits:
            assert self.terminal.due_at is not None
        if self.terminal.presence in rests:
            assert self.terminal.due_at is None
        if self.terminal.presence in state_machine.AWAY:
            assert self.terminal.back_at in (None, self.terminal.due_at)
            assert self.terminal.due_at <= self.at + timedelta(days=1)

    @invariant()
    def the_due_time_never_lets_a_lease_run_on_unseen(self) -> None:
        if self.terminal.presence == Presence.ONLINE:
            assert self.terminal.due_at <= max(self.terminal.lease_at, self.at + TIMING.lease)

    @invariant()
    def history_is_a_chain_in_the_order_of_time(self) -> None:
        for earlier, move in zip(self.moves, self.moves[1:], strict=False):
            assert move.before == earlier.presence
            assert move.at >= earlier.at
        if self.moves:
            assert self.terminal.presence == self.moves[-1].presence
            assert all(move.before != move.presence for move in self.moves)


TestLife = Life.TestCase
