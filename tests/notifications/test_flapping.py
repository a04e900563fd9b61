"""Flapping causes a notification at its beginning and at its end, and none between."""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.builders import AT, later
from tests.support.factories import acknowledged
from tests.support.notifications.alerts import event_kinds, open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleCleared, RuleTriggered
from tms.alerts.models import Alert, Transition
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.policy import Policy

pytestmark = [pytest.mark.both, pytest.mark.django_db]

MINUTE, HOUR = 60, 3600


class Wobbler:
    """A terminal whose rule triggers and clears, while the outbox and the clock run."""

    def __init__(self, fleet, delivery_clock, **fields) -> None:
        self.rule, self.terminal = fleet.metric_rule(severity="critical", **fields), fleet.online()
        self.delivery_clock = delivery_clock

    @property
    def seconds(self) -> float:
        return (self.delivery_clock.at - AT).total_seconds()

    def advance(self, seconds: float) -> None:
        end = later(self.seconds + seconds)
        self.delivery_clock.work()
        while self.delivery_clock.at < end:
            self.delivery_clock.step(min(end, self.delivery_clock.at + timedelta(seconds=60)))
            lifecycle.expire_flapping(self.delivery_clock.at)

    def turn(self, *, is_failing: bool) -> None:
        say = RuleTriggered if is_failing else RuleCleared
        lifecycle.apply_events([say(self.rule.pk, self.terminal.pk, later(self.seconds))])

    def wobble(self, times: int) -> None:
        for _ in range(times):
            self.turn(is_failing=True)
            self.advance(MINUTE)
            self.turn(is_failing=False)
            self.advance(MINUTE)


@pytest.fixture
def wobbler(fleet, delivery_clock) -> Wobbler:
    return Wobbler(fleet, delivery_clock)


def test_openings_and_recoveries_are_notified_until_it_flaps_and_then_only_that(wobbler, policy, hook, receiver):
    policy((0, [hook]))

    wobbler.wobble(12)

    assert event_kinds(receiver) == ["opened", "resolved"] * 3 + ["flapping"]
    assert receiver.events[-1]["data"]["title"].startswith("Critical, flapping: ")
    assert receiver.events[-1]["data"]["alerts"][0]["flapping"] is True


def test_a_recovery_is_notified_when_it_is_stable(wobbler, policy, hook, receiver):
    policy((0, [hook]))
    wobbler.wobble(6)

    wobbler.advance(HOUR)

    assert event_kinds(receiver)[6:] == ["flapping", "resolved"]
    [line, *_] = Delivery.objects.get(kind="resolved", items__alert__flapping__isnull=False).content["lines"]
    assert line.endswith("; flapped, 12 changes")


def test_an_unresolved_alert_is_notified_when_it_is_stable_and_escalation_continues(wobbler, policy, hook, receiver):
    late = webhook_destination(receiver.url + "-late", "Late")
    policy((0, [hook]), (2 * HOUR, [late]))
    wobbler.wobble(6)
    wobbler.turn(is_failing=True)

    wobbler.advance(3 * HOUR)

    assert event_kinds(receiver)[6:] == ["flapping", "calm", "opened"]
    assert receiver.posted[-1].path.endswith("-late")
    assert receiver.events[-2]["data"]["title"].startswith("Flapping stopped, still unresolved: ")
    assert "still unacknowledged" in receiver.events[-1]["data"]["title"]


def test_escalation_pauses_while_a_flapping_alert_is_acknowledged(fleet, wobbler, policy, hook, receiver):
    policy((0, [hook]), (10 * MINUTE, [hook]))
    wobbler.wobble(4)
    acknowledged(Alert.objects.unresolved().get(), by=fleet.person())

    wobbler.wobble(10)
    wobbler.advance(HOUR)

    assert event_kinds(receiver)[6:] == ["flapping", "resolved"]


def test_flapping_exceeds_a_notify_after_that_no_single_opening_exceeds(wobbler, policy, hook, receiver):
    policy((0, [hook]), delay_s=90)

    wobbler.wobble(6)

    assert event_kinds(receiver) == ["flapping"]


def test_an_alert_first_notified_after_flapping_is_notified_as_usual(wobbler, policy, hook, receiver):
    policy((0, [hook]), delay_s=2 * HOUR)
    wobbler.wobble(4)
    wobbler.turn(is_failing=True)

    wobbler.advance(3 * HOUR)

    assert event_kinds(receiver) == ["opened"]


def test_other_alerts_are_notified_as_usual(fleet, wobbler, policy, hook, receiver):
    policy((0, [hook]))
    wobbler.wobble(4)
    before = len(receiver.posted)

    other = open_alert(fleet, seconds=wobbler.seconds)
    wobbler.advance(MINUTE)
    resolve_alert(other, wobbler.seconds)
    wobbler.advance(MINUTE)

    assert event_kinds(receiver)[before:] == ["opened", "resolved"]


STRETCHES = st.lists(st.tuples(st.integers(20, 400), st.integers(20, 400)), min_size=4, max_size=9)
"""How many seconds the rule matches, and then does not."""


@settings(max_examples=5, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(stretches=STRETCHES, stays=st.booleans())
def test_flapping_is_notified_at_its_beginning_and_at_its_end_with_its_state(
    fleet, delivery_clock, policy, hook, receiver, stretches, stays
):
    Policy.objects.all().delete()
    receiver.posted.clear()
    policy((0, [hook]))
    wobbler = Wobbler(fleet, delivery_clock)
    for wrong_s, well_s in stretches:
        wobbler.turn(is_failing=True)
        wobbler.advance(wrong_s)
        wobbler.turn(is_failing=False)
        wobbler.advance(well_s)
    if stays:
        wobbler.turn(is_failing=True)

    wobbler.advance(HOUR)

    for alert in Alert.objects.filter(rule=wobbler.rule):
        result = [event["type"].split(".")[2] for event in receiver.events if alerts_of(event) == [alert.pk]]
        steps = list(Transition.objects.filter(alert=alert).values_list("kind", flat=True))
        assert result == expected(steps)
    assert Alert.objects.unresolved().filter(rule=wobbler.rule).exists() == stays


def alerts_of(event) -> list[int]:
    return [alert["id"] for alert in event["data"]["alerts"]]


def expected(steps: list[str]) -> list[str]:
    """The notifications of an alert with this history."""
    begin = "flapping" if "flapping" in steps else "opened"
    if "resolved" in steps:
        return [begin, "resolved"]
    return [begin, "calm"] if "calm" in steps else [begin]
