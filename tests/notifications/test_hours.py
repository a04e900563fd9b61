"""The hours of policies, and the quiet hours of destinations."""

from datetime import time

import pytest

from tests.support.alerts.maintenance import set_opening_hours
from tests.support.builders import later
from tests.support.factories import acknowledged
from tests.support.notifications.alerts import event_kinds, notified_alerts, open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tms.notifications.models.delivery import Delivery
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Escalation, Policy

pytestmark = [pytest.mark.both, pytest.mark.django_db]

HOUR = 3600
DAY = 24 * HOUR
# AT is a Wednesday, 18:00 in Tokyo.
EVENING = {"hours_from": time(17), "hours_until": time(19), "hours_zone": "Asia/Tokyo"}
MORNING = {"hours_from": time(7), "hours_until": time(9), "hours_zone": "Asia/Tokyo"}
NIGHT = {"hours_from": time(17, 30), "hours_until": time(7), "hours_zone": "Asia/Tokyo"}


WHEN = [
    # when, hours, days, after how many hours it is notified
    ("always", MORNING, [], 0),
    ("within", EVENING, [], 0),
    ("within", MORNING, [], 13),
    ("within", EVENING, [3], 23),
    ("within", NIGHT, [], 0),
    ("within", NIGHT, [3], 23.5),
    ("outside", EVENING, [], 1),
    ("outside", MORNING, [], 0),
    ("outside", NIGHT, [2], 13),
    # the site is open from 9 to 18:00 in Tokyo: it closes at AT
    ("open", {}, [], 15),
    ("closed", {}, [], 0),
]


@pytest.mark.parametrize(("when", "times", "days", "after_hours"), WHEN)
def test_a_policy_notifies_in_its_hours_and_unresolved_alerts_when_they_begin(
    fleet, delivery_clock, policy, hook, receiver, when, times, days, after_hours
):
    set_opening_hours(fleet, 9, 18)
    policy((0, [hook]), when=when, hours_days=days, **times)
    open_alert(fleet)

    delivery_clock.advance(max(0, after_hours * HOUR - 60), step_s=HOUR)
    before, why = len(receiver.posted), Escalation.objects.get().suppression
    delivery_clock.advance(120, step_s=30)

    if after_hours:
        assert (before, why) == (0, "hours")
    assert event_kinds(receiver) == ["opened"]


def test_an_alert_that_recovers_before_the_hours_begin_is_never_notified(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), when="within", **MORNING)
    alert = open_alert(fleet)
    delivery_clock.advance(HOUR, step_s=HOUR)
    resolve_alert(alert, HOUR)

    delivery_clock.advance(DAY, step_s=HOUR)

    assert receiver.posted == []


def test_a_recovery_is_notified_outside_of_the_hours_to_the_same_recipients(
    fleet, delivery_clock, policy, hook, receiver
):
    policy((0, [hook]), when="within", **EVENING)
    alert = open_alert(fleet)
    delivery_clock.advance(2 * HOUR, step_s=HOUR)
    resolve_alert(alert, 2 * HOUR)

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened", "resolved"]


def quiet_hook(receiver, name: str = "Quiet", **fields) -> Destination:
    return webhook_destination(f"{receiver.url}-{name}", name, **(NIGHT | fields))


def test_a_destination_gets_unresolved_alerts_at_the_end_of_its_quiet_hours(fleet, delivery_clock, policy, receiver):
    policy((0, [quiet_hook(receiver)]))
    rule = fleet.metric_rule(severity="warning")
    first, second, third, fourth = (open_alert(fleet, rule=rule) for _ in range(4))
    delivery_clock.advance(HOUR, step_s=HOUR)
    resolve_alert(second, HOUR)
    acknowledged(third, by=fleet.person())
    fifth = open_alert(fleet, rule=rule, seconds=HOUR)

    delivery_clock.advance(11.9 * HOUR, step_s=HOUR)
    before = len(receiver.posted)
    delivery_clock.advance(600, step_s=60)

    assert before == 0
    assert [sorted(alerts) for alerts in notified_alerts(receiver)] == [[first.pk, fourth.pk, fifth.pk]]
    resolve_alert(first, 13.1 * HOUR)
    delivery_clock.advance(10)
    assert event_kinds(receiver) == ["opened", "resolved"]


@pytest.mark.parametrize("anyway", [True, False])
def test_critical_alerts_are_sent_during_quiet_hours_if_configured(fleet, delivery_clock, policy, receiver, anyway):
    policy((0, [quiet_hook(receiver, critical_anyway=anyway)]))
    open_alert(fleet, severity="warning")
    critical = open_alert(fleet)

    delivery_clock.advance(10)

    assert notified_alerts(receiver) == ([[critical.pk]] if anyway else [])


def test_a_step_of_destinations_in_quiet_hours_does_not_delay_escalation(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [quiet_hook(receiver, critical_anyway=False)]), (3 * HOUR, [hook]))
    open_alert(fleet)

    delivery_clock.advance(10)

    assert [posted.path for posted in receiver.posted] == ["/hook/s3cret-path"]


def test_a_group_collected_before_quiet_hours_is_not_joined_by_alerts_during_them(
    fleet, delivery_clock, policy, receiver
):
    later_quiet = quiet_hook(receiver, hours_from=time(18, 1))
    policy((0, [later_quiet]), group_wait_s=120)
    rule = fleet.metric_rule(severity="warning")
    early = open_alert(fleet, rule=rule)
    delivery_clock.advance(90)
    open_alert(fleet, rule=rule, seconds=90)

    delivery_clock.advance(120)

    assert notified_alerts(receiver) == [[early.pk]]
    assert Delivery.objects.get(state="waiting").due_at == later(13 * HOUR)


# Pages

STEPS = {"steps-TOTAL_FORMS": "1", "steps-INITIAL_FORMS": "0"}


def test_the_hours_of_a_policy_are_stored_as_entered(staff, hook):
    form = {"name": "Day", "group_wait_s": "5", "delay_s": "0", "steps-0-destinations": hook.pk, "when": "within"}
    times = {"hours_days": ["0", "4"], "hours_from": "09:00", "hours_until": "17:30", "hours_zone": ""}

    staff.post("/policies/new/", STEPS | form | times)

    made = Policy.objects.get()
    seen = HtmlPage(staff.get(made.get_absolute_url()))
    assert (made.when, made.hours_days, made.hours_until) == ("within", [0, 4], time(17, 30))
    assert seen.attribute("id_hours_from", "value") == "09:00"


@pytest.mark.parametrize(
    ("form", "field"), [({"when": "within"}, "hours_from"), ({"when": "always", "hours_from": "09:00"}, "hours_until")]
)
def test_hours_without_a_start_or_an_end_are_refused(staff, hook, form, field):
    usual = {"name": "Day", "group_wait_s": "5", "delay_s": "0", "steps-0-destinations": hook.pk}

    answer = staff.post("/policies/new/", STEPS | usual | form)

    assert answer.status_code == 422
    assert "Enter both times." in HtmlPage(answer).text(f"id_{field}_error")


def test_the_quiet_hours_of_a_destination_are_stored(staff, hook):
    form = {
        "name": "Hook",
        "where": "",
        "language": "en",
        "enabled": "on",
        "hours_from": "22:00",
        "hours_until": "07:00",
    }

    staff.post(hook.get_absolute_url(), form)

    hook.refresh_from_db()
    assert (hook.hours_from, hook.hours_until, hook.critical_anyway) == (time(22), time(7), False)
