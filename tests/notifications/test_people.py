"""What is told to the person whom it is about."""

import pytest

from tests.support import factories
from tests.support.builders import later
from tests.support.factories import acknowledged
from tests.support.notifications.alerts import kinds, notified, opened, over
from tests.support.notifications.destinations import webhook
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleTriggered
from tms.alerts.models import Alert, Contract

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOUR = 3600
LONG = 2 * HOUR


@pytest.fixture
def aiko(fleet, receiver):
    person = fleet.person("aiko")
    webhook(f"{receiver.url}/aiko", "Aiko", person=person)
    return person


def asked(alert: Alert, *, to, by, seconds: float = 0) -> None:
    lifecycle.assign(Alert.objects.filter(pk=alert.pk), to=to, by=by, comment="", at=later(seconds))


def test_whom_an_alert_is_assigned_to_is_told_at_their_own_destinations(fleet, hours, aiko, receiver):
    alert = opened(fleet)
    asked(alert, to=aiko, by=fleet.person("ren"))

    hours.pass_(10)

    assert kinds(receiver) == ["assigned"]
    assert receiver.posted[0].path.endswith("/aiko")
    assert receiver.events[0]["data"]["title"].startswith("Assigned to you: ")


def test_many_of_them_are_told_in_one_message(fleet, hours, aiko, receiver):
    rule = fleet.metric_rule(severity="critical")
    alerts = [opened(fleet, rule=rule) for _ in range(5)]
    lifecycle.assign(Alert.objects.all(), to=aiko, by=fleet.person("ren"), comment="", at=later(1))

    hours.pass_(10)

    assert [sorted(one) for one in notified(receiver)] == [[alert.pk for alert in alerts]]


def test_whoever_takes_it_themselves_is_not_told_and_neither_is_who_has_no_destination(fleet, hours, aiko, receiver):
    alert = opened(fleet)
    asked(alert, to=aiko, by=aiko)
    asked(opened(fleet), to=fleet.person("ren"), by=aiko)

    hours.pass_(10)

    assert receiver.posted == []


def test_what_is_over_before_it_is_told_is_not_told(fleet, hours, aiko, receiver):
    alert = opened(fleet)
    asked(alert, to=aiko, by=fleet.person("ren"))
    hours.pass_(1)
    over(alert, 2)

    hours.pass_(10)

    assert receiver.posted == []


def test_whoever_forgot_an_alert_is_reminded(fleet, hours, aiko, receiver, settings):
    settings.STALE_AFTER_S = HOUR
    alert = opened(fleet)
    factories.acknowledged(alert, by=aiko, comment="", at=later(1))
    lifecycle.remind(later(2 * HOUR))

    hours.pass_(10)

    assert kinds(receiver) == ["reminded"]
    assert "no update since you acknowledged" in receiver.events[0]["data"]["title"]


# What opens an alert again goes on being told, step by step


def contract(alert: Alert, fleet, **terms) -> None:
    factories.acknowledged(alert, by=fleet.person("ren"), comment="", at=later(10), **terms)


def worse(alert: Alert) -> None:
    lifecycle.apply_events([RuleTriggered(alert.rule_id, alert.terminal_id, later(LONG), severity="critical")])


def given_back(alert: Alert) -> None:
    lifecycle.reopen(Alert.objects.all(), by=alert.acknowledged_by, comment="", at=later(LONG))


AGAIN = [
    # what ends the acknowledgement, and what is told then
    ("withdrawn", ["opened", "opened"], "1"),
    ("expired", ["opened", "opened"], "1"),
    ("undone", ["opened", "worsened"], "0"),
]


@pytest.mark.parametrize(("how", "says", "where"), AGAIN)
def test_what_is_open_again_is_told_again(fleet, hours, policy, receiver, how, says, where):
    steps = [webhook(f"{receiver.url}/{number}", f"Step {number}") for number in range(2)]
    policy((0, [steps[0]]), (HOUR, [steps[1]]))
    rule = fleet.metric_rule(severity="warning", higher_thresholds=[{"severity": "critical", "limit": 90}])
    alert = opened(fleet, rule=rule)
    hours.pass_(5)
    timed = {"contract": Contract.TIME, "until": later(LONG)} if how == "expired" else {}
    contract(alert, fleet, **timed)
    hours.pass_(LONG - 5, step_s=600)
    alert.refresh_from_db()

    {"withdrawn": given_back, "expired": lambda _: lifecycle.expire(later(LONG)), "undone": worse}[how](alert)
    hours.pass_(30)

    assert alert.transitions.filter(kind=how).exists()
    assert kinds(receiver) == says
    assert receiver.posted[-1].path.endswith(f"/{where}")


def test_what_eases_is_told_to_nobody(fleet, hours, policy, hook, receiver):
    policy((0, [hook]))
    rule = fleet.metric_rule(severity="warning", higher_thresholds=[{"severity": "critical", "limit": 90}])
    alert = opened(fleet, rule=rule)
    worse(alert)
    hours.pass_(LONG + 5, step_s=600)
    lifecycle.apply_events([RuleTriggered(alert.rule_id, alert.terminal_id, later(LONG + 6), severity="warning")])

    hours.pass_(60)

    assert alert.transitions.filter(kind="eased").exists()
    assert "eased" not in kinds(receiver)


def test_an_acknowledgement_of_the_alert_before_it_was_assigned_tells_nobody_else(fleet, hours, aiko, receiver):
    acknowledged(opened(fleet), by=aiko)

    hours.pass_(10)

    assert receiver.posted == []
