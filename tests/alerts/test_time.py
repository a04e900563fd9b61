"""Alerts that wait for their duration, and events that expire."""

import pytest

from tests.support.alerts.events import cleared, transition_kinds, triggered
from tests.support.builders import later
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Rule

pytestmark = [pytest.mark.both, pytest.mark.embedded]


def test_an_alert_opens_when_its_condition_has_lasted_for_its_duration(rule, terminal, scheduler):
    lifecycle.apply_events([triggered(rule, terminal, duration_s=60, value=80.0)])

    scheduler.advance(seconds=59)
    before = Alert.objects.count()
    scheduler.advance(seconds=1)

    assert before == 0
    assert (Alert.objects.get().value, Alert.objects.get().opened_at) == (80.0, later(60))


def test_a_condition_that_ended_before_its_duration_opens_nothing(rule, terminal, scheduler):
    lifecycle.apply_events([triggered(rule, terminal, duration_s=60)])
    lifecycle.apply_events([cleared(rule, terminal, 30)])

    scheduler.advance(seconds=120, step_s=10)

    assert not Alert.objects.exists()


def test_a_continuing_condition_keeps_its_start_time(rule, terminal, scheduler):
    lifecycle.apply_events([triggered(rule, terminal, duration_s=60)])
    lifecycle.apply_events([triggered(rule, terminal, 50, duration_s=60)])

    assert lifecycle.open_pending(later(60)) == 1


def test_a_due_condition_opens_once(rule, terminal):
    lifecycle.apply_events([triggered(rule, terminal, duration_s=1)])

    passes = [lifecycle.open_pending(later(seconds)) for seconds in (0.5, 1, 2)]

    assert passes == [0, 1, 0]
    assert Alert.objects.count() == 1


def test_a_condition_of_a_disabled_rule_does_not_block_the_others(fleet, rule, terminal):
    other = fleet.metric_rule()
    lifecycle.apply_events([triggered(rule, terminal, duration_s=1), triggered(other, terminal, duration_s=1)])
    Rule.objects.filter(pk=rule.pk).update(enabled=False)

    lifecycle.open_pending(later(2))

    assert Alert.objects.get().rule == other


def test_an_event_that_is_not_repeated_expires(fleet, terminal, scheduler):
    rule = fleet.event_rule(clear_after_s=100)
    lifecycle.apply_events([triggered(rule, terminal, clear_after_s=100)])

    scheduler.advance(seconds=99, step_s=33)
    number_before = Alert.objects.unresolved().count()
    scheduler.advance(seconds=1)

    assert number_before == 1
    assert transition_kinds(Alert.objects.get()) == ["opened", "resolved"]


def test_a_repeated_event_expires_later(fleet, terminal, scheduler):
    rule = fleet.event_rule(clear_after_s=100)
    lifecycle.apply_events([triggered(rule, terminal, clear_after_s=100)])
    lifecycle.apply_events([triggered(rule, terminal, 60, clear_after_s=100)])

    scheduler.advance(seconds=150, step_s=50)
    number_before = Alert.objects.unresolved().count()
    scheduler.advance(seconds=10)

    assert (number_before, Alert.objects.unresolved().count()) == (1, 0)


def test_an_event_rule_without_a_time_limit_never_expires(fleet, terminal):
    rule = fleet.event_rule()
    lifecycle.apply_events([triggered(rule, terminal)])

    assert lifecycle.expire_events(later(10_000_000)) == 0
