"""The jobs of the clock."""

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from tests.support.builders import AT, Link, later
from tests.support.threads import run_concurrently
from tms.alerts import lifecycle
from tms.alerts.lifecycle import conditions
from tms.alerts.models import Alert, Condition
from tms.clock import presence_sweep
from tms.fleet.models import Cause, Presence, PresenceChange, Terminal, TerminalState
from tms.fleet.presence import store as presence_store
from tms.ingest import commit
from tms.ops.health import heartbeats

pytestmark = [pytest.mark.both, pytest.mark.embedded]


def seen(terminal: Terminal) -> tuple[str, str]:
    state = TerminalState.objects.get(pk=terminal.pk)
    return state.presence, state.cause


def unresolved() -> int:
    return Alert.objects.unresolved().count()


# The sweep


def test_a_terminal_without_frames_becomes_silent_then_offline_and_then_alerts(fleet, scheduler, settings):
    fleet.presence_rule(Presence.OFFLINE, duration_s=60)
    terminal = fleet.online(lease_s=45)

    scheduler.advance(seconds=44)
    steps = [seen(terminal)]
    for seconds in (1, settings.OFFLINE_AFTER_S):
        scheduler.advance(seconds=seconds)
        steps.append(seen(terminal))
    scheduler.advance(seconds=59.5)
    before = unresolved()
    scheduler.advance(seconds=0.5)

    assert steps == [
        (Presence.ONLINE, Cause.NONE),
        (Presence.SILENT, Cause.LEASE_RAN_OUT),
        (Presence.OFFLINE, Cause.LEASE_RAN_OUT),
    ]
    assert (before, unresolved()) == (0, 1)


def test_a_reporting_terminal_is_not_changed(fleet, scheduler):
    link = Link(fleet.terminal())
    commit.write([link.boot()])

    for _ in range(8):
        scheduler.advance(seconds=30, step_s=5)
        commit.write([link.heartbeat(at=scheduler.at)])

    assert seen(link.terminal) == (Presence.ONLINE, Cause.NONE)
    assert PresenceChange.objects.count() == 1


def test_a_terminal_that_does_not_return_from_its_reboot_is_offline(fleet, scheduler):
    terminal = fleet.with_presence(Presence.REBOOTING, cause=Cause.REBOOT, back_at=later(300), due_at=later(300))

    scheduler.advance(seconds=299, step_s=100)
    before = seen(terminal)
    scheduler.advance(seconds=1)

    assert before == (Presence.REBOOTING, Cause.REBOOT)
    assert seen(terminal) == (Presence.OFFLINE, Cause.DID_NOT_RETURN)


def test_the_longest_overdue_are_swept_first_and_a_pass_has_a_limit(fleet, monkeypatch):
    monkeypatch.setattr(presence_store, "SWEEP_LIMIT", 2)
    monkeypatch.setattr(presence_sweep, "MAX_SWEEPS", 1)
    terminals = [fleet.online(lease_s=seconds) for seconds in (3, 1, 2)]

    presence_sweep.sweep(later(10))
    first = [seen(terminal)[0] for terminal in terminals]
    presence_sweep.sweep(later(10))

    assert first == [Presence.ONLINE, Presence.SILENT, Presence.SILENT]
    assert [seen(terminal)[0] for terminal in terminals] == [Presence.SILENT] * 3


def test_a_storm_is_swept_and_alerted_in_one_pass_however_many_transactions_that_takes(fleet, monkeypatch):
    monkeypatch.setattr(presence_store, "SWEEP_LIMIT", 2)
    monkeypatch.setattr(conditions, "PASS_LIMIT", 2)
    fleet.presence_rule(Presence.SILENT, duration_s=5)
    terminals = [fleet.online(lease_s=1) for _ in range(5)]

    presence_sweep.sweep(later(2))
    opened = lifecycle.open_pending(later(8))

    assert {seen(terminal)[0] for terminal in terminals} == {Presence.SILENT}
    assert opened == 5


@pytest.mark.parametrize("number", [1, 400])
def test_the_number_of_queries_does_not_grow_with_the_fleet(fleet, django_assert_max_num_queries, number):
    fleet.presence_rule(Presence.SILENT)
    fleet.terminals(number, presence=Presence.ONLINE, due_at=AT, lease_at=AT)

    with django_assert_max_num_queries(25):
        presence_sweep.sweep(later(1))

    assert unresolved() == number


@pytest.mark.django_db(transaction=True)
def test_boards_are_notified_of_changes(fleet, feed_recorder):
    terminal, _ = fleet.online(lease_s=1), fleet.online(lease_s=99)
    feed_recorder.changes()

    presence_sweep.sweep(later(2))

    assert feed_recorder.change().presence == {terminal.pk}


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_sweep_and_a_report_that_race_never_leave_a_reporting_terminal_silent(fleet):
    links = [Link(terminal) for terminal in fleet.terminals(20)]
    commit.write([link.boot() for link in links])
    late = AT + timedelta(seconds=46)

    def race(n: int) -> None:
        if n % 2:
            presence_sweep.sweep(late)
        else:
            commit.write([link.heartbeat(at=late) for link in links])

    results = run_concurrently(6, race)

    assert results == [None] * 6
    commit.write([link.heartbeat(at=late) for link in links])
    assert set(TerminalState.objects.values_list("presence", flat=True)) == {Presence.ONLINE}
    for link in links:
        changes = list(PresenceChange.objects.filter(terminal=link.terminal).order_by("pk"))
        assert all(after.before == before.presence for before, after in pairwise(changes))


# Losses caused by TMS


@pytest.fixture(params=[Presence.OFFLINE, Presence.SILENT])
def watched(fleet, request) -> None:
    """A rule without a duration."""
    fleet.presence_rule(request.param)


def test_the_terminals_of_a_restarted_node_have_time_to_reconnect(fleet, scheduler, settings, watched):
    mine, other = fleet.online(node="a", lease_s=600), fleet.online(node="b", lease_s=600)

    orphaned = presence_sweep.orphan("a", AT)
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S - 1, step_s=10)

    assert orphaned == 1
    assert (seen(mine), seen(other)[0]) == ((Presence.SILENT, Cause.NODE_STOPPED), Presence.ONLINE)
    assert unresolved() == 0


def test_a_terminal_that_is_not_back_after_the_grace_is_offline_and_alerts(fleet, scheduler, settings, watched):
    terminal = fleet.online(node="a", lease_s=600)

    presence_sweep.orphan("a", AT)
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S, step_s=10)

    assert seen(terminal) == (Presence.OFFLINE, Cause.NODE_STOPPED)
    assert unresolved() == 1


def test_a_terminal_that_is_back_within_the_grace_has_no_alert(fleet, scheduler, watched):
    terminal = fleet.online(node="a", lease_s=600)

    presence_sweep.orphan("a", AT)
    scheduler.advance(seconds=20, step_s=5)
    commit.write([Link(terminal).boot(at=scheduler.at)])
    scheduler.advance(seconds=30, step_s=10)

    assert not Alert.objects.exists()


def test_a_rule_edited_during_the_grace_opens_no_alerts_either(fleet):
    terminal = fleet.online(node="a", lease_s=600)
    presence_sweep.orphan("a", AT)

    fleet.presence_rule(Presence.SILENT)

    assert seen(terminal) == (Presence.SILENT, Cause.NODE_STOPPED)
    assert unresolved() == 0


def test_with_a_single_process_it_resets_the_terminals_of_every_node(fleet):
    for node in ("a", "b"):
        fleet.online(node=node)
    fleet.with_presence(Presence.OFFLINE)

    assert presence_sweep.orphan(None, AT) == 2


def away_for(seconds: float) -> datetime:
    heartbeats.record(heartbeats.CLOCK, at=AT)
    return later(seconds)


def test_after_an_outage_of_tms_no_terminal_becomes_silent_or_offline_before_the_grace_is_over(
    fleet, scheduler, settings, watched
):
    """TMS received no frames, so leases that expired meanwhile do not count."""
    online = fleet.online(lease_s=45)
    silent = fleet.with_presence(Presence.SILENT, cause=Cause.NODE_STOPPED, due_at=later(30))
    rebooting = fleet.with_presence(Presence.REBOOTING, cause=Cause.REBOOT, due_at=later(60), back_at=later(60))
    scheduler.at = away_for(600)

    was_away = presence_sweep.catch_up(scheduler.at)
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S - 1, step_s=10)
    within = [seen(terminal)[0] for terminal in (online, silent, rebooting)]
    scheduler.advance(seconds=1)
    after = [seen(terminal)[0] for terminal in (online, silent, rebooting)]

    assert was_away
    assert within == [Presence.ONLINE, Presence.SILENT, Presence.REBOOTING]
    assert after == [Presence.SILENT, Presence.OFFLINE, Presence.OFFLINE]


def test_after_an_outage_of_tms_a_reporting_terminal_stays_online(fleet, scheduler, watched):
    link = Link(fleet.terminal())
    commit.write([link.boot()])
    scheduler.at = away_for(600)

    presence_sweep.catch_up(scheduler.at)
    scheduler.advance(seconds=5)
    commit.write([link.heartbeat(at=scheduler.at)])
    for _ in range(6):
        scheduler.advance(seconds=30, step_s=10)
        commit.write([link.heartbeat(at=scheduler.at)])

    assert PresenceChange.objects.count() == 1
    assert not Alert.objects.exists()


def test_after_an_outage_of_tms_the_duration_of_presence_rules_starts_with_the_grace(fleet, scheduler, settings):
    fleet.presence_rule(Presence.OFFLINE, duration_s=60)
    hot = fleet.metric_rule(duration_s=60)
    terminal = fleet.with_presence(Presence.SILENT, due_at=AT)
    Condition.objects.create(rule=hot, terminal=terminal, since=AT, due_at=later(60))
    presence_sweep.sweep(AT)
    scheduler.at = away_for(600)

    presence_sweep.catch_up(scheduler.at)
    scheduler.advance(seconds=1)
    opened = set(Alert.objects.values_list("rule", flat=True))
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S, step_s=10)

    assert opened == {hot.pk}  # that one was reported; the hot one stays hot
    assert unresolved() == 2


@pytest.mark.parametrize(("seconds", "was_away"), [(0, False), (9, False), (10, True), (99_999, True)])
def test_tms_was_down_when_its_clock_recorded_no_heartbeat_for_ten_seconds(db, seconds, was_away):
    assert presence_sweep.catch_up(away_for(seconds)) == was_away


def test_a_tms_that_never_ran_was_not_down(db):
    assert not presence_sweep.catch_up(AT)
