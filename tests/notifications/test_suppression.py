"""While an alert is quiet nobody is told; at the end they are, if it is still wrong."""

import pytest

from tests.support.alerts.maintenance import maintain
from tests.support.notifications.alerts import kinds, opened, over
from tms.notifications.models.policy import Escalation

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOUR = 3600


def test_what_is_still_wrong_at_the_end_of_a_window_is_told_then(fleet, hours, policy, hook, receiver):
    policy((0, [hook]))
    maintain(fleet, opened(fleet))

    hours.pass_(HOUR - 10, step_s=60)
    before, why = len(receiver.posted), Escalation.objects.get().suppression
    hours.pass_(60, step_s=30)

    assert (before, why) == (0, "maintenance")
    assert kinds(receiver) == ["opened"]


def test_what_recovers_within_it_is_never_told(fleet, hours, policy, hook, receiver):
    policy((0, [hook]))
    alert = opened(fleet)
    maintain(fleet, alert)
    hours.pass_(600, step_s=60)
    over(alert, 600)

    hours.pass_(2 * HOUR, step_s=600)

    assert receiver.posted == []


def test_a_window_that_begins_while_a_message_gathers_keeps_it_back(fleet, hours, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=60)
    alert = opened(fleet)
    hours.pass_(10)
    maintain(fleet, alert, starts=10)

    hours.pass_(HOUR - 60, step_s=60)
    before = len(receiver.posted)
    hours.pass_(300, step_s=30)

    assert before == 0
    assert kinds(receiver) == ["opened"]
