"""One batch, one transaction: boots and reports, exactly once."""

from datetime import datetime, timedelta, timezone

import pytest

from tests.support.builders import AT, Link, later
from tests.support.ingest.commit import booted, state_of, stored_reports, write
from tms.alerts.models import Alert
from tms.fleet.models import Presence
from tms.protocol import frames, limits
from tms.telemetry.models import Boot, Event, Report

pytestmark = [pytest.mark.both, pytest.mark.embedded]

JST = timezone(timedelta(hours=9))


def test_a_first_boot_brings_the_terminal_online_and_returns_session_one(fleet, settings):
    terminal = fleet.terminal()
    link = Link(terminal)

    write(link.boot(at=AT))

    state = state_of(terminal)
    assert (state.presence, state.session, state.node, state.boot_id) == (Presence.ONLINE, 1, settings.NODE, "boot-1")
    assert (state.last_seen_at, state.presence_at) == (AT, AT)
    assert (link.outcome.session, link.outcome.acked_seq, link.outcome.has_commands) == (1, 0, False)
    assert link.number == 1


def test_a_boot_updates_reported_fields_and_keeps_the_others(fleet):
    terminal = fleet.terminal(serial="S-1", model="KX-20", firmware="4.7")

    write(Link(terminal).boot(firmware="4.8", agent="tms-agent 1", address="192.0.2.7"))

    terminal.refresh_from_db()
    assert (terminal.serial, terminal.model, terminal.firmware) == ("S-1", "KX-20", "4.8")
    assert (terminal.agent, terminal.address) == ("tms-agent 1", "192.0.2.7")


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", None])
def test_any_address_of_a_terminal_is_stored(fleet, address):
    terminal = fleet.terminal(address="198.51.100.1")

    write(Link(terminal).boot(address=address))

    terminal.refresh_from_db()
    assert terminal.address == address


def test_of_two_boots_of_one_terminal_in_one_batch_the_newer_is_current(fleet):
    terminal = fleet.terminal()
    older, newer = Link(terminal), Link(terminal)

    write(older.boot(), newer.boot("boot-2"), older.heartbeat(at=later(1)))

    assert (older.outcome.session, newer.outcome.session) == (1, 2)
    assert (state_of(terminal).session, state_of(terminal).boot_id) == (2, "boot-2")


def test_a_reconnect_gets_the_highest_committed_report_of_its_boot(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    write(link.report(1), link.report(2), link.report(5, late=True))

    again, other = booted(terminal), booted(terminal, "boot-2")

    assert (again.outcome.acked_seq, other.outcome.acked_seq) == (5, 0)
    assert again.outcome.boot_pk == link.boot_pk != other.outcome.boot_pk


def test_a_boot_returns_active_rules_and_whether_commands_wait(fleet):
    terminal = fleet.terminal()
    rule = fleet.metric_rule(limit=75)
    link = booted(terminal)
    write(link.report(1, metrics={"temperature_c": 80.0}))
    fleet.command(terminal)

    again = booted(terminal)

    assert list(again.outcome.active_rules) == [rule.pk]
    assert again.outcome.has_commands


def test_an_expired_command_is_not_waiting(fleet):
    terminal = fleet.terminal()
    fleet.command(terminal, at=later(-7200), deliver_within_s=3600)

    assert not booted(terminal).outcome.has_commands


def test_a_report_is_stored_with_its_own_time(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    taken_at = datetime(2026, 11, 25, 17, 59, 58, 120_000, tzinfo=JST)

    write(link.report(1, at=later(1), taken_at=taken_at, status="degraded", metrics={"temperature_c": 61.5}))

    report = Report.objects.get()
    assert (report.at, report.received_at, report.late) == (taken_at, later(1), False)
    assert (report.status, report.metrics) == ("degraded", {"temperature_c": 61.5})
    assert Report.objects.filter(at=taken_at).exists()


def test_a_repeated_report_is_stored_once(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    write(link.report(1), link.report(2))

    result = write(link.report(2), link.report(3), link.report(3))

    assert stored_reports(terminal) == [("boot-1", 1), ("boot-1", 2), ("boot-1", 3)]
    assert [item.report.seq for item in result.reports] == [2, 3, 3]  # all of them are durable, so all are acknowledged


def test_reports_of_an_earlier_boot_are_stored_under_it_and_marked_late(fleet):
    terminal = fleet.terminal()
    booted(terminal, "before")
    link = booted(terminal, "after")

    write(link.report(1, boot_id="before"), link.report(1), link.report(9, boot_id="long ago"))

    assert sorted(stored_reports(terminal)) == [("after", 1), ("before", 1), ("long ago", 9)]
    assert set(Report.objects.filter(late=True).values_list("boot__boot_id", flat=True)) == {"before", "long ago"}
    assert Boot.objects.filter(terminal=terminal).count() == 3


def test_the_same_boot_id_of_two_terminals_is_two_boots(fleet):
    one, two = booted(fleet.terminal()), booted(fleet.terminal())

    write(one.report(1), two.report(1))

    assert Report.objects.count() == 2
    assert one.boot_pk != two.boot_pk


def test_events_are_stored_with_their_report_and_once(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    jammed = {"events": (frames.TerminalEvent(AT, "paper_jam", severity="warning", text="tray 2"),)}
    write(link.report(1, **jammed))

    write(link.report(1, **jammed), link.report(2, late=True, **jammed))

    assert list(Event.objects.order_by("pk").values_list("code", "severity", "text", "late")) == [
        ("paper_jam", "warning", "tray 2", False),
        ("paper_jam", "warning", "tray 2", True),
    ]


def test_a_late_report_without_a_timestamp_is_stored_with_its_arrival_and_marked(fleet):
    link = booted(fleet.terminal())
    events = (frames.TerminalEvent(None, "paper_jam"), frames.TerminalEvent(AT, "door_open"))

    write(
        link.undated(1, at=later(5), events=events),
        link.report(2, at=later(6), events=(frames.TerminalEvent(AT, "hot"),)),
    )

    reports = Report.objects.order_by("seq").values_list("at", "late", "undated")
    assert list(reports) == [(later(5), True, True), (later(6), False, False)]
    assert set(Event.objects.values_list("code", "at", "undated")) == {
        ("paper_jam", later(5), True),
        ("door_open", AT, False),
        ("hot", AT, False),
    }


@pytest.mark.parametrize("late", [False, True])
def test_a_report_dated_in_the_future_is_stored_with_its_arrival_and_marked(fleet, late):
    link = booted(fleet.terminal())
    ahead = later(5 + limits.CLOCK_TOLERANCE_S)
    events = (frames.TerminalEvent(later(3_600), "from_afar"), frames.TerminalEvent(ahead, "just_so"))

    write(link.report(1, at=later(5), taken_at=later(86_400 * 365), events=events, late=late))
    write(link.report(2, at=later(5), taken_at=ahead, late=late))

    assert list(Report.objects.order_by("seq").values_list("at", "undated")) == [(later(5), True), (ahead, False)]
    assert set(Event.objects.values_list("code", "at", "undated")) == {
        ("from_afar", later(5), True),
        ("just_so", ahead, False),
    }


def test_an_internal_event_is_stored_even_if_a_newer_session_began(fleet):
    terminal = fleet.terminal()
    rule = fleet.event_rule("tms.duplicate_credential")
    link = booted(terminal)
    booted(terminal)

    write(link.note("tms.duplicate_credential"))

    assert Event.objects.get().code == "tms.duplicate_credential"
    assert Alert.objects.get().rule == rule


@pytest.mark.parametrize("number", [2, 60])
def test_the_number_of_queries_does_not_grow_with_the_batch(fleet, django_assert_max_num_queries, number):
    fleet.metric_rule(limit=75)
    links = [booted(terminal) for terminal in fleet.terminals(number)]
    items = [
        link.report(1, metrics={"temperature_c": 80.0}, events=(frames.TerminalEvent(AT, "hot"),)) for link in links
    ]
    items += [Link(link.terminal).boot("boot-2") for link in links]

    with django_assert_max_num_queries(30):
        write(*items)

    assert Alert.objects.count() == number
