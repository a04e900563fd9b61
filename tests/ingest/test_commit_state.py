"""One batch, one transaction: the states of terminals after it."""

from datetime import timedelta, timezone

import pytest

from tests.support.builders import AT, Link, later
from tests.support.ingest.commit import booted, state_of, stored_reports, write
from tms.fleet.models import Cause, Presence, PresenceChange
from tms.protocol import frames

pytestmark = [pytest.mark.both, pytest.mark.embedded]

JST = timezone(timedelta(hours=9))


def test_last_values_are_merged_and_not_changed_by_a_late_report(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    write(link.report(1, metrics={"temperature_c": 50.0, "paper_pct": 80.0}, status="ok"))

    write(
        link.report(2, metrics={"temperature_c": 51.0}, status="degraded", at=later(5)),
        link.report(3, metrics={"temperature_c": 52.0}, at=later(6)),
        link.report(4, metrics={"temperature_c": 99.0}, status="fault", late=True),
        link.report(1, metrics={"paper_pct": 1.0}, boot_id="earlier"),
    )

    state = state_of(terminal)
    assert state.metrics == {"temperature_c": 52.0, "paper_pct": 80.0}
    assert (state.status, state.status_at, state.seq) == ("degraded", later(5), 4)


def test_the_full_state_of_a_boot_becomes_the_state_of_the_terminal(fleet):
    terminal = fleet.terminal()

    link = booted(terminal, full=frames.FullState(status="fault", metrics={"paper_pct": 3.0}))
    write(link.report(1, metrics={"temperature_c": 40.0}))

    assert state_of(terminal).status == "fault"
    assert state_of(terminal).metrics == {"paper_pct": 3.0, "temperature_c": 40.0}


def test_a_terminal_with_endless_new_metrics_does_not_grow_its_row_endlessly(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)

    for seq in range(1, 40):
        write(link.report(seq, metrics={f"invented_{seq}_{n:050}": 1.0 for n in range(64)}))

    stored_metrics = state_of(terminal).metrics
    assert f"invented_39_{0:050}" in stored_metrics
    assert len(stored_metrics) <= 64 * 10


def test_status_has_the_time_of_its_last_change(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)

    for seq, status in enumerate(("ok", "ok", "fault", "fault"), start=1):
        write(link.report(seq, status=status, at=later(seq)))

    assert (state_of(terminal).status, state_of(terminal).status_at) == ("fault", later(3))


def test_changes_are_recorded_in_order(fleet):
    terminal = fleet.terminal()
    link = Link(terminal)

    write(link.boot(), link.goodbye("reboot", at=later(1), back_at=later(61)), link.lost(at=later(2)))

    rows = PresenceChange.objects.filter(terminal=terminal).order_by("pk")
    assert list(rows.values_list("before", "presence", "cause", "at", "back_at", "session")) == [
        (Presence.NEVER, Presence.ONLINE, Cause.NONE, AT, None, 1),
        (Presence.ONLINE, Presence.REBOOTING, Cause.REBOOT, later(1), later(61), 1),
    ]
    assert state_of(terminal).back_at == later(61)


def test_only_a_live_report_cancels_a_goodbye(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    write(link.goodbye("reboot", at=later(1), back_at=later(61)))

    write(link.heartbeat(at=later(2)), link.report(1, late=True, at=later(3)), link.report(1, boot_id="earlier"))
    expected = state_of(terminal).presence
    write(link.report(2, at=later(4)))

    assert (expected, state_of(terminal).presence) == (Presence.REBOOTING, Presence.ONLINE)


def test_a_lost_link_makes_the_terminal_silent_until_it_is_offline(fleet, settings):
    terminal = fleet.terminal()
    link = booted(terminal)

    write(link.lost(at=later(3)))

    state = state_of(terminal)
    assert (state.presence, state.cause) == (Presence.SILENT, Cause.CONNECTION_LOST)
    assert state.due_at == later(3 + settings.OFFLINE_AFTER_S)


def test_frames_of_an_older_session_change_nothing(fleet):
    terminal = fleet.terminal()
    old = booted(terminal)
    booted(terminal, "boot-2")

    result = write(
        old.report(7, metrics={"temperature_c": 99.0}), old.goodbye("shutdown"), old.lost(), old.heartbeat(at=later(60))
    )

    assert len(result.fenced) == 4
    assert stored_reports(terminal) == []
    assert (state_of(terminal).presence, state_of(terminal).metrics) == (Presence.ONLINE, {})
    assert state_of(terminal).last_seen_at == AT


def test_a_link_that_never_booted_cannot_change_a_terminal(fleet):
    terminal = fleet.terminal()
    booted(terminal)

    result = write(Link(terminal).lost(), Link(terminal).report(1))

    assert len(result.fenced) == 2
    assert state_of(terminal).presence == Presence.ONLINE


def test_items_of_a_deleted_terminal_are_dropped_and_the_others_are_stored(fleet):
    gone, there = booted(fleet.terminal()), booted(fleet.terminal())
    gone.terminal.delete()

    result = write(gone.report(1), there.report(1), Link(there.terminal).boot("boot-2"))

    assert len(result.fenced) == 1
    assert stored_reports(there.terminal) == [("boot-1", 1)]
