"""One batch, one transaction: the resulting alerts, commands and messages."""

from contextlib import suppress
from datetime import timedelta, timezone

import pytest

from tests.support.builders import AT, Link, later
from tests.support.ingest.commit import booted, state_of, stored_reports, transition_kinds, write
from tms.alerts.models import Alert, Condition, Transition
from tms.commands import services as commands
from tms.commands.models import Command, CommandState
from tms.fleet.models import Presence

pytestmark = [pytest.mark.both, pytest.mark.embedded]

JST = timezone(timedelta(hours=9))


def test_a_returning_terminal_resolves_its_presence_alert(fleet, scheduler):
    terminal = fleet.online(lease_s=1)
    fleet.presence_rule(Presence.OFFLINE)
    scheduler.advance(seconds=60)
    alert = Alert.objects.get()

    write(Link(terminal).boot(at=scheduler.at))

    alert.refresh_from_db()
    assert (alert.state, alert.resolved_at) == ("resolved", scheduler.at)
    assert transition_kinds(alert) == ["opened", "resolved"]


def test_a_lost_link_opens_the_alert_of_a_rule_on_silence_at_once(fleet):
    terminal = fleet.terminal()
    rule = fleet.presence_rule(Presence.SILENT)
    link = booted(terminal)

    write(link.lost(at=later(1)))

    alert = Alert.objects.get()
    assert (alert.rule, alert.terminal, alert.opened_at) == (rule, terminal, later(1))


def test_a_goodbye_before_the_loss_opens_nothing(fleet, scheduler):
    terminal = fleet.terminal()
    fleet.presence_rule(Presence.SILENT)
    link = booted(terminal)

    write(link.goodbye("update", at=later(1), back_at=later(600)), link.lost(at=later(2)))
    scheduler.advance(seconds=599, step_s=100)

    assert not Alert.objects.exists()


def test_a_metric_above_its_threshold_opens_and_below_resolves(fleet):
    terminal = fleet.terminal()
    fleet.metric_rule("temperature_c", limit=75, hysteresis=5)
    link = booted(terminal)

    write(link.report(1, metrics={"temperature_c": 80.0}, at=later(1)))
    opened = Alert.objects.get()
    write(link.report(2, metrics={"temperature_c": 71.0}, at=later(2)))
    number = Alert.objects.unresolved().count()
    write(link.report(3, metrics={"temperature_c": 69.0}, at=later(3)))

    assert (opened.value, opened.opened_at, number) == (80.0, later(1), 1)
    assert transition_kinds(opened) == ["opened", "resolved"]
    assert not Condition.objects.exists()


def test_opening_and_resolving_within_one_batch_are_both_in_the_history(fleet):
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


def test_a_reconnect_during_an_alert_continues_it(fleet):
    terminal = fleet.terminal()
    fleet.metric_rule(limit=75, hysteresis=5)
    write(booted(terminal).report(1, metrics={"temperature_c": 80.0}))

    again = booted(terminal)
    write(again.report(2, metrics={"temperature_c": 81.0}))
    write(again.report(3, metrics={"temperature_c": 50.0}))

    assert transition_kinds(Alert.objects.get()) == ["opened", "resolved"]


def test_rule_events_of_a_fenced_report_are_ignored(fleet):
    terminal = fleet.terminal()
    fleet.metric_rule(limit=75)
    old = booted(terminal)
    booted(terminal)

    write(old.report(1, metrics={"temperature_c": 80.0}))

    assert not Alert.objects.exists()


def test_a_rule_event_of_a_deleted_rule_does_not_fail_its_report(fleet):
    terminal = fleet.terminal()
    rule = fleet.metric_rule(limit=75)
    link = booted(terminal)
    report = link.report(1, metrics={"temperature_c": 80.0})
    rule.delete()

    write(report)

    assert stored_reports(terminal) == [("boot-1", 1)]
    assert not Alert.objects.exists()


def test_an_answer_completes_its_command(fleet):
    terminal = fleet.terminal()
    link = booted(terminal)
    command = fleet.command(terminal)
    commands.dequeue({terminal.pk: link.number}, at=later(1))

    write(link.answer(command, {"lines": 3}, at=later(2)))

    command.refresh_from_db()
    assert (command.state, command.result, command.answered_at) == (CommandState.DONE, {"lines": 3}, later(2))


def test_an_answer_of_another_terminal_completes_nothing(fleet):
    mine, theirs = fleet.terminal(), booted(fleet.terminal())
    command = fleet.command(mine)
    commands.dequeue({mine.pk: 1}, at=AT)

    write(theirs.answer(command, "pong"))

    assert Command.objects.get().state == CommandState.SENT


@pytest.mark.django_db(transaction=True)
def test_a_batch_is_published_after_its_commit_with_its_changes(fleet, feed_recorder):
    terminal, other = fleet.terminal(), fleet.terminal()
    fleet.metric_rule(limit=75)
    link = booted(other)
    feed_recorder.changes()

    write(Link(terminal).boot(), link.report(1, metrics={"temperature_c": 80.0}))

    change = feed_recorder.change()
    assert change.terminals == {terminal.pk, other.pk}
    assert change.presence == {terminal.pk}
    assert change.sessions == {(terminal.pk, 1)}
    assert change.alerts == {Alert.objects.get().pk}
    assert not change.everything


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_is_rolled_back_publishes_nothing_and_changes_nothing(fleet, feed_recorder):
    terminal = fleet.terminal()
    link = booted(terminal)
    feed_recorder.changes()
    broken = link.report(2)
    broken.report = object()

    with suppress(AttributeError):
        write(link.report(1, metrics={"temperature_c": 80.0}), broken)

    assert feed_recorder.changes() == []
    assert stored_reports(terminal) == []
    assert state_of(terminal).metrics == {}


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_changed_nothing_publishes_nothing(fleet, feed_recorder):
    terminal = fleet.terminal()
    old = booted(terminal)
    booted(terminal)
    feed_recorder.changes()

    write(old.heartbeat(), old.report(1))

    assert feed_recorder.changes() == []
