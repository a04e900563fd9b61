"""A suppressed alert is not notified; at the end it is, if it is still unresolved."""

import pytest

from tests.support.alerts.maintenance import plan_maintenance
from tests.support.notifications.alerts import event_kinds, open_alert, resolve_alert
from tms.notifications.models.policy import Escalation

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOUR = 3600


def test_alerts_unresolved_at_the_end_of_a_window_are_notified_then(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]))
    plan_maintenance(fleet, open_alert(fleet))

    delivery_clock.advance(HOUR - 10, step_s=60)
    before, why = len(receiver.posted), Escalation.objects.get().suppression
    delivery_clock.advance(60, step_s=30)

    assert (before, why) == (0, "maintenance")
    assert event_kinds(receiver) == ["opened"]


def test_an_alert_that_recovers_within_a_window_is_never_notified(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]))
    alert = open_alert(fleet)
    plan_maintenance(fleet, alert)
    delivery_clock.advance(600, step_s=60)
    resolve_alert(alert, 600)

    delivery_clock.advance(2 * HOUR, step_s=600)

    assert receiver.posted == []


def test_a_window_that_begins_during_the_group_wait_delays_the_message(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=60)
    alert = open_alert(fleet)
    delivery_clock.advance(10)
    plan_maintenance(fleet, alert, starts=10)

    delivery_clock.advance(HOUR - 60, step_s=60)
    before = len(receiver.posted)
    delivery_clock.advance(300, step_s=30)

    assert before == 0
    assert event_kinds(receiver) == ["opened"]
