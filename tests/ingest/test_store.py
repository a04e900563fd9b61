"""One batch, one transaction: what the database holds after it."""

from contextlib import suppress
from datetime import datetime, timedelta, timezone

import pytest

from tests.builders import AT, Link, later
from tms.alerts.models import Alert, Condition, Transition
from tms.commands import services as commands
from tms.commands.models import Command, CommandState
from tms.fleet.models import Cause, Presence, PresenceChange, Terminal, TerminalState
from tms.ingest import store
from tms.ingest.items import Item
from tms.protocol import frames
from tms.telemetry.models import Boot, Event, Report

pytestmark = pytest.mark.both

JST = timezone(timedelta(hours=9))


def write(*items: Item) -> store.Ledger:
    """Commit and tell the links, as the batch does."""
    ledger = store.write(items)
    for item in ledger.boots:
        item.link.booted(item.outcome)
    return ledger


def booted(terminal: Terminal, boot_id: str = "boot-1", **params) -> Link:
    link = Link(terminal)
    write(link.boot(boot_id, **params))
    return link


def state_of(terminal: Terminal) -> TerminalState:
    return TerminalState.objects.get(pk=terminal.pk)


def kept(terminal: Terminal) -> list[tuple[str, int]]:
    rows = Report.objects.filter(terminal=terminal).order_by("boot", "seq")
    return list(rows.values_list("boot__boot_id", "seq"))


def happenings(alert: Alert) -> list[str]:
    return list(alert.transitions.values_list("kind", flat=True))


# Boots


def test_a_first_boot_makes_the_terminal_online_and_answers_with_session_one(fleet, settings):
    terminal = fleet.terminal()
    link = Link(terminal)

    write(link.boot(at=AT))

    state = state_of(terminal)
    assert (state.presence, state.session, state.node, state.boot_id) == (Presence.ONLINE, 1, settings.NODE, "boot-1")
    assert (state.last_seen_at, state.presence_at) == (AT, AT)
    assert (link.outcome.session, link.outcome.acked_seq, link.outcome.has_commands) == (1, 0, False)
    assert link.number == 1


def test_a_boot_updates_what_the_terminal_tells_of_itself_and_keeps_what_it_does_not(fleet):
    terminal = fleet.terminal(serial="S-1", model="KX-20", firmware="4.7")

    write(Link(terminal).boot(firmware="4.8", agent="tms-agent 1", address="192.0.2.7"))

    terminal.refresh_from_db()
    assert (terminal.serial, terminal.model, terminal.firmware) == ("S-1", "KX-20", "4.8")
    assert (terminal.agent, terminal.address) == ("tms-agent 1", "192.0.2.7")


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", None])
def test_any_address_of_a_terminal_is_kept(fleet, address):
    terminal = fleet.terminal(address="198.51.100.1")

    write(Link(terminal).boot(address=address))

    terminal.refresh_from_db()
    assert terminal.address == address


def test_two_boots_of_one_terminal_in_one_batch_leave_the_newer_in_charge(fleet):
    terminal = fleet.terminal()
    older, newer = Link(terminal), Link(terminal)

    write(older.boot(), newer.boot("boot-2"), older.heartbeat(at=later(1)))

    assert (older.outcome.session, newer.outcome.session) == (1, 2)
    assert (state_of(terminal).session, state_of(terminal).boot_id) == (2, "boot-2")


def test_a_reconnect_is_told_the_highest_committed_report_of_its_boot(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    write(link.report(1), link.report(2), link.report(5, late=True))

    again, other = booted(terminal), booted(terminal, "boot-2")

    assert (again.outcome.acked_seq, other.outcome.acked_seq) == (5, 0)
    assert again.outcome.boot_pk == link.boot_pk != other.outcome.boot_pk


def test_a_boot_is_told_which_rules_hold_and_whether_commands_wait(fleet):
    terminal = fleet.terminal()
    rule = fleet.metric_rule(limit=75)
    link = booted(terminal)
    write(link.report(1, metrics={"temperature_c": 80.0}))
    fleet.command(terminal)

    again = booted(terminal)

    assert list(again.outcome.held) == [rule.pk]
    assert again.outcome.has_commands


def test_a_command_that_came_too_late_is_not_waiting(fleet):
    terminal = fleet.terminal()
    fleet.command(terminal, at=later(-7200), deliver_within_s=3600)

    assert not booted(terminal).outcome.has_commands


# Reports, exactly once


def test_a_report_becomes_a_row_with_its_own_time(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    taken_at = datetime(2026, 11, 25, 17, 59, 58, 120_000, tzinfo=JST)

    write(link.report(1, at=later(1), taken_at=taken_at, status="degraded", metrics={"temperature_c": 61.5}))

    report = Report.objects.get()
    assert (report.at, report.received_at, report.late) == (taken_at, later(1), False)
    assert (report.status, report.metrics) == ("degraded", {"temperature_c": 61.5})
    assert Report.objects.filter(at=taken_at).exists()


def test_a_report_that_is_sent_again_is_kept_once(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    write(link.report(1), link.report(2))

    ledger = write(link.report(2), link.report(3), link.report(3))

    assert kept(terminal) == [("boot-1", 1), ("boot-1", 2), ("boot-1", 3)]
    assert [item.report.seq for item in ledger.reports] == [2, 3, 3]  # all of them are durable, so all are acknowledged


def test_reports_of_an_earlier_boot_are_kept_under_it_and_marked_late(fleet):
    terminal = fleet.terminal()
    booted(terminal, "before")
    link = booted(terminal, "after")

    write(link.report(1, boot_id="before"), link.report(1), link.report(9, boot_id="long ago"))

    assert sorted(kept(terminal)) == [("after", 1), ("before", 1), ("long ago", 9)]
    assert set(Report.objects.filter(late=True).values_list("boot__boot_id", flat=True)) == {"before", "long ago"}
    assert Boot.objects.filter(terminal=terminal).count() == 3


def test_the_same_boot_id_of_two_terminals_is_two_boots(fleet):
    one, two = booted(fleet.terminal()), booted(fleet.terminal())

    write(one.report(1), two.report(1))

    assert Report.objects.count() == 2
    assert one.boot_pk != two.boot_pk


def test_events_are_kept_with_the_report_that_brought_them_and_once(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    jammed = {"events": (frames.Event(AT, "paper_jam", severity="warning", text="tray 2"),)}
    write(link.report(1, **jammed))

    write(link.report(1, **jammed), link.report(2, late=True, **jammed))

    assert list(Event.objects.order_by("pk").values_list("code", "severity", "text", "late")) == [
        ("paper_jam", "warning", "tray 2", False),
        ("paper_jam", "warning", "tray 2", True),
    ]


def test_what_tms_noticed_itself_is_an_event_even_when_a_newer_session_began(fleet):
    terminal = fleet.terminal()
    rule = fleet.event_rule("tms.duplicate_credential")
    link = booted(terminal)
    booted(terminal)

    write(link.note("tms.duplicate_credential"))

    assert Event.objects.get().code == "tms.duplicate_credential"
    assert Alert.objects.get().rule == rule


# State


def test_last_values_are_merged_and_a_late_report_does_not_touch_them(fleet):
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
    assert (state.status, state.status_at, state.seq) == ("degraded", later(5), 3)


def test_the_full_state_of_a_boot_is_the_terminals_state(fleet):
    terminal = fleet.terminal()

    link = booted(terminal, full=frames.State(status="fault", metrics={"paper_pct": 3.0}))
    write(link.report(1, metrics={"temperature_c": 40.0}))

    assert state_of(terminal).status == "fault"
    assert state_of(terminal).metrics == {"paper_pct": 3.0, "temperature_c": 40.0}


def test_a_terminal_that_invents_metrics_without_end_does_not_grow_its_row_without_end(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)

    for seq in range(1, 40):
        write(link.report(seq, metrics={f"invented_{seq}_{n:050}": 1.0 for n in range(64)}))

    kept_metrics = state_of(terminal).metrics
    assert f"invented_39_{0:050}" in kept_metrics
    assert len(kept_metrics) <= 64 * 10


def test_status_has_the_time_of_its_last_change(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)

    for seq, status in enumerate(("ok", "ok", "fault", "fault"), start=1):
        write(link.report(seq, status=status, at=later(seq)))

    assert (state_of(terminal).status, state_of(terminal).status_at) == ("fault", later(3))


# Presence


def test_moves_are_recorded_in_order(fleet):
    terminal = fleet.terminal()
    link = Link(terminal)

    write(link.boot(), link.goodbye("reboot", at=later(1), back_at=later(61)), link.lost(at=later(2)))

    rows = PresenceChange.objects.filter(terminal=terminal).order_by("pk")
    assert list(rows.values_list("before", "presence", "cause", "at", "back_at", "session")) == [
        (Presence.NEVER, Presence.ONLINE, Cause.NONE, AT, None, 1),
        (Presence.ONLINE, Presence.REBOOTING, Cause.REBOOT, later(1), later(61), 1),
    ]
    assert state_of(terminal).back_at == later(61)


def test_a_lost_link_makes_the_terminal_silent_until_it_is_offline(fleet, settings):
    terminal = fleet.terminal()
    link = booted(terminal)

    write(link.lost(at=later(3)))

    state = state_of(terminal)
    assert (state.presence, state.cause) == (Presence.SILENT, Cause.CONNECTION_LOST)
    assert state.due_at == later(3 + settings.OFFLINE_AFTER_S)


def test_anything_of_an_older_session_changes_nothing(fleet):
    terminal = fleet.terminal()
    old = booted(terminal)
    booted(terminal, "boot-2")

    ledger = write(
        old.report(7, metrics={"temperature_c": 99.0}), old.goodbye("shutdown"), old.lost(), old.heartbeat(at=later(60))
    )

    assert len(ledger.fenced) == 4
    assert kept(terminal) == []
    assert (state_of(terminal).presence, state_of(terminal).metrics) == (Presence.ONLINE, {})
    assert state_of(terminal).last_seen_at == AT


def test_a_link_that_never_booted_cannot_touch_a_terminal(fleet):
    terminal = fleet.terminal()
    booted(terminal)

    ledger = write(Link(terminal).lost(), Link(terminal).report(1))

    assert len(ledger.fenced) == 2
    assert state_of(terminal).presence == Presence.ONLINE


def test_items_of_a_terminal_that_was_deleted_are_let_go_and_the_rest_is_kept(fleet):
    gone, there = booted(fleet.terminal()), booted(fleet.terminal())
    gone.terminal.delete()

    ledger = write(gone.report(1), there.report(1), Link(there.terminal).boot("boot-2"))

    assert len(ledger.fenced) == 1
    assert kept(there.terminal) == [("boot-1", 1)]


# Alerts and commands, in the same transaction


def test_a_terminal_that_comes_back_resolves_its_presence_alert(fleet, wall):
    terminal = fleet.online(lease_s=1)
    fleet.presence_rule(Presence.OFFLINE)
    wall.advance(seconds=60)
    alert = Alert.objects.get()

    write(Link(terminal).boot(at=wall.at))

    alert.refresh_from_db()
    assert (alert.state, alert.resolved_at) == ("resolved", wall.at)
    assert happenings(alert) == ["opened", "resolved"]


def test_a_silence_opens_the_alert_of_a_silence_rule_at_once(fleet):
    terminal = fleet.terminal()
    rule = fleet.presence_rule(Presence.SILENT)
    link = booted(terminal)

    write(link.lost(at=later(1)))

    alert = Alert.objects.get()
    assert (alert.rule, alert.terminal, alert.opened_at) == (rule, terminal, later(1))


def test_a_goodbye_before_the_loss_opens_nothing(fleet, wall):
    terminal = fleet.terminal()
    fleet.presence_rule(Presence.SILENT)
    link = booted(terminal)

    write(link.goodbye("update", at=later(1), back_at=later(600)), link.lost(at=later(2)))
    wall.advance(seconds=599, step_s=100)

    assert not Alert.objects.exists()


def test_a_metric_over_its_limit_opens_and_back_resolves(fleet):
    terminal = fleet.terminal()
    fleet.metric_rule("temperature_c", limit=75, hysteresis=5)
    link = booted(terminal)

    write(link.report(1, metrics={"temperature_c": 80.0}, at=later(1)))
    opened = Alert.objects.get()
    write(link.report(2, metrics={"temperature_c": 71.0}, at=later(2)))
    held = Alert.objects.unresolved().count()
    write(link.report(3, metrics={"temperature_c": 69.0}, at=later(3)))

    assert (opened.value, opened.opened_at, held) == (80.0, later(1), 1)
    assert happenings(opened) == ["opened", "resolved"]
    assert not Condition.objects.exists()


def test_over_and_back_within_one_batch_is_both_in_the_history(fleet):
    terminal = fleet.terminal()
    fleet.metric_rule(limit=75)
    link = booted(terminal)

    write(
        link.report(1, metrics={"temperature_c": 80.0}, at=later(1)),
        link.report(2, metrics={"temperature_c": 50.0}, at=later(2)),
    )

    assert list(Transition.objects.values_list("kind", "at")) == [("opened", later(1)), ("resolved", later(2))]


def test_a_late_report_neither_opens_nor_resolves(fleet):
    terminal = fleet.terminal()
    fleet.metric_rule(limit=75)
    link = booted(terminal)
    write(link.report(1, metrics={"temperature_c": 80.0}))

    write(link.report(2, metrics={"temperature_c": 20.0}, late=True), link.report(3, boot_id="before"))

    assert Alert.objects.get().state == "open"


def test_a_reconnect_in_the_middle_of_an_alert_goes_on_with_it(fleet):
    terminal = fleet.terminal()
    fleet.metric_rule(limit=75, hysteresis=5)
    write(booted(terminal).report(1, metrics={"temperature_c": 80.0}))

    again = booted(terminal)
    write(again.report(2, metrics={"temperature_c": 81.0}))
    write(again.report(3, metrics={"temperature_c": 50.0}))

    assert happenings(Alert.objects.get()) == ["opened", "resolved"]


def test_the_verdicts_of_a_fenced_report_are_not_heeded(fleet):
    terminal = fleet.terminal()
    fleet.metric_rule(limit=75)
    old = booted(terminal)
    booted(terminal)

    write(old.report(1, metrics={"temperature_c": 80.0}))

    assert not Alert.objects.exists()


def test_the_verdict_of_a_rule_that_was_deleted_meanwhile_costs_no_report(fleet):
    terminal = fleet.terminal()
    rule = fleet.metric_rule(limit=75)
    link = booted(terminal)
    report = link.report(1, metrics={"temperature_c": 80.0})
    rule.delete()

    write(report)

    assert kept(terminal) == [("boot-1", 1)]
    assert not Alert.objects.exists()


def test_an_answer_settles_its_command(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    command = fleet.command(terminal)
    commands.claim({terminal.pk: link.number}, at=later(1))

    write(link.answer(command, {"lines": 3}, at=later(2)))

    command.refresh_from_db()
    assert (command.state, command.result, command.answered_at) == (CommandState.DONE, {"lines": 3}, later(2))


def test_an_answer_of_another_terminal_settles_nothing(fleet):
    mine, theirs = fleet.terminal(), booted(fleet.terminal())
    command = fleet.command(mine)
    commands.claim({mine.pk: 1}, at=AT)

    write(theirs.answer(command, "pong"))

    assert Command.objects.get().state == CommandState.SENT


# The feed


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_published_after_its_commit_and_says_what_changed(fleet, ear):
    terminal, other = fleet.terminal(), fleet.terminal()
    fleet.metric_rule(limit=75)
    link = booted(other)
    ear.changes()

    write(Link(terminal).boot(), link.report(1, metrics={"temperature_c": 80.0}))

    change = ear.change()
    assert change.terminals == {terminal.pk, other.pk}
    assert change.presence == {terminal.pk}
    assert change.sessions == {(terminal.pk, 1)}
    assert change.alerts == {Alert.objects.get().pk}
    assert not change.everything


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_is_rolled_back_publishes_nothing_and_changes_nothing(fleet, ear):
    terminal = fleet.terminal()
    link = booted(terminal)
    ear.changes()
    broken = link.report(2)
    broken.report = object()

    with suppress(AttributeError):
        write(link.report(1, metrics={"temperature_c": 80.0}), broken)

    assert ear.changes() == []
    assert kept(terminal) == []
    assert state_of(terminal).metrics == {}


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_changed_nothing_publishes_nothing(fleet, ear):
    terminal = fleet.terminal()
    old = booted(terminal)
    booted(terminal)
    ear.changes()

    write(old.heartbeat(), old.report(1))

    assert ear.changes() == []


# Its cost


@pytest.mark.parametrize("number", [2, 60])
def test_the_number_of_queries_does_not_grow_with_the_batch(fleet, django_assert_max_num_queries, number):
    fleet.metric_rule(limit=75)
    links = [booted(terminal) for terminal in fleet.terminals(number)]
    items = [link.report(1, metrics={"temperature_c": 80.0}, events=(frames.Event(AT, "hot"),)) for link in links]
    items += [Link(link.terminal).boot("boot-2") for link in links]

    with django_assert_max_num_queries(30):
        write(*items)

    assert Alert.objects.count() == number
