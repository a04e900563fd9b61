"""Personal notifications."""

import pytest

from tests.support import factories
from tests.support.builders import later
from tests.support.factories import acknowledged
from tests.support.notifications.alerts import event_kinds, notified_alerts, open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tms.accounts.models import Grant
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Contract
from tms.notifications.models import Destination

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOUR = 3600
LONG = 2 * HOUR


@pytest.fixture
def aiko(fleet, receiver):
    person = fleet.person("aiko")
    webhook_destination(f"{receiver.url}/aiko", "Aiko", person=person)
    return person


def assign_to(alert: Alert, *, to, by, seconds: float = 0) -> None:
    lifecycle.assign(Alert.objects.filter(pk=alert.pk), to=to, by=by, comment="", at=later(seconds))


def test_an_assignee_is_notified_at_their_own_destinations(fleet, delivery_clock, aiko, receiver):
    alert = open_alert(fleet)
    assign_to(alert, to=aiko, by=fleet.person("ren"))

    delivery_clock.advance(10)

    assert event_kinds(receiver) == ["assigned"]
    assert receiver.posted[0].path.endswith("/aiko")
    assert receiver.events[0]["data"]["title"].startswith("Assigned to you: ")


@pytest.mark.parametrize("limit", ["person", "destination"])
def test_an_assignee_is_not_notified_of_what_they_or_the_destination_may_not_know(
    fleet, delivery_clock, aiko, receiver, limit
):
    other = fleet.site("OSK")
    if limit == "person":
        Grant.objects.filter(person=aiko).update(site=other)
    else:
        Destination.objects.update(owner_site=other)
    assign_to(open_alert(fleet), to=aiko, by=fleet.person("ren"))

    delivery_clock.advance(10)

    assert receiver.posted == []


def test_many_assignments_are_one_message(fleet, delivery_clock, aiko, receiver):
    rule = fleet.metric_rule(severity="critical")
    alerts = [open_alert(fleet, rule=rule) for _ in range(5)]
    lifecycle.assign(Alert.objects.all(), to=aiko, by=fleet.person("ren"), comment="", at=later(1))

    delivery_clock.advance(10)

    assert [sorted(one) for one in notified_alerts(receiver)] == [[alert.pk for alert in alerts]]


def test_assigning_oneself_and_people_without_a_destination_cause_no_notification(
    fleet, delivery_clock, aiko, receiver
):
    alert = open_alert(fleet)
    assign_to(alert, to=aiko, by=aiko)
    assign_to(open_alert(fleet), to=fleet.person("ren"), by=aiko)

    delivery_clock.advance(10)

    assert receiver.posted == []


def test_an_alert_resolved_before_the_notification_is_not_notified(fleet, delivery_clock, aiko, receiver):
    alert = open_alert(fleet)
    assign_to(alert, to=aiko, by=fleet.person("ren"))
    delivery_clock.advance(1)
    resolve_alert(alert, 2)

    delivery_clock.advance(10)

    assert receiver.posted == []


def test_the_owner_of_a_stale_acknowledgement_is_reminded(fleet, delivery_clock, aiko, receiver, settings):
    settings.STALE_AFTER_S = HOUR
    alert = open_alert(fleet)
    factories.acknowledged(alert, by=aiko, comment="", at=later(1))
    lifecycle.remind(later(2 * HOUR))

    delivery_clock.advance(10)

    assert event_kinds(receiver) == ["reminded"]
    assert "no update since you acknowledged" in receiver.events[0]["data"]["title"]


# A reopened alert continues its escalation, step by step


def contract(alert: Alert, fleet, **terms) -> None:
    factories.acknowledged(alert, by=fleet.person("ren"), comment="", at=later(10), **terms)


def worse(alert: Alert) -> None:
    lifecycle.apply_events([RuleTriggered(alert.rule_id, alert.terminal_id, later(LONG), severity="critical")])


def given_back(alert: Alert) -> None:
    lifecycle.reopen(Alert.objects.all(), by=alert.acknowledged_by, comment="", at=later(LONG))


AGAIN = [
    # what ends the acknowledgement, and the notification
    ("withdrawn", ["opened", "opened"], "1"),
    ("expired", ["opened", "opened"], "1"),
    ("undone", ["opened", "worsened"], "0"),
]


@pytest.mark.parametrize(("how", "says", "where"), AGAIN)
def test_a_reopened_alert_is_notified_again(fleet, delivery_clock, policy, receiver, how, says, where):
    steps = [webhook_destination(f"{receiver.url}/{number}", f"Step {number}") for number in range(2)]
    policy((0, [steps[0]]), (HOUR, [steps[1]]))
    rule = fleet.metric_rule(severity="warning", higher_thresholds=[{"severity": "critical", "limit": 90}])
    alert = open_alert(fleet, rule=rule)
    delivery_clock.advance(5)
    timed = {"contract": Contract.TIME, "until": later(LONG)} if how == "expired" else {}
    contract(alert, fleet, **timed)
    delivery_clock.advance(LONG - 5, step_s=600)
    alert.refresh_from_db()

    {"withdrawn": given_back, "expired": lambda _: lifecycle.expire(later(LONG)), "undone": worse}[how](alert)
    delivery_clock.advance(30)

    assert alert.transitions.filter(kind=how).exists()
    assert event_kinds(receiver) == says
    assert receiver.posted[-1].path.endswith(f"/{where}")


def test_an_improvement_is_not_notified(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]))
    rule = fleet.metric_rule(severity="warning", higher_thresholds=[{"severity": "critical", "limit": 90}])
    alert = open_alert(fleet, rule=rule)
    worse(alert)
    delivery_clock.advance(LONG + 5, step_s=600)
    lifecycle.apply_events([RuleTriggered(alert.rule_id, alert.terminal_id, later(LONG + 6), severity="warning")])

    delivery_clock.advance(60)

    assert alert.transitions.filter(kind="eased").exists()
    assert "eased" not in event_kinds(receiver)


def test_an_acknowledgement_before_the_assignment_notifies_no_one_else(fleet, delivery_clock, aiko, receiver):
    acknowledged(open_alert(fleet), by=aiko)

    delivery_clock.advance(10)

    assert receiver.posted == []
