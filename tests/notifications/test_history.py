"""The history of an alert tells who was told of it."""

from django.test import Client

from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tms.notifications.models.delivery import Delivery

DAY = 86_400


def told(client: Client, alert) -> list[str]:
    seen = HtmlPage(client.get(alert.get_absolute_url()))
    return [seen.text(element) for element in seen.rows("told-")]


def test_each_message_stands_with_its_destination_and_what_became_of_it(fleet, delivery_clock, policy, hook, watcher):
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)
    delivery_clock.advance(5)

    recovery, opening = told(watcher, alert)

    assert "Hook Opened Sent" in opening
    assert "Hook Resolved Sent" in recovery


def test_what_was_given_up_says_what_came_back_and_after_how_many_attempts(
    fleet, delivery_clock, policy, hook, receiver, watcher
):
    receiver.script = [(503, {"body": "busy"}), (410, {"body": "gone"})]
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(60)

    [line] = told(watcher, alert)

    assert "Failed, 2 attempts: 410 Gone: gone" in line


def test_what_may_have_arrived_twice_says_so(fleet, delivery_clock, policy, hook, watcher):
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    Delivery.objects.update(possible_duplicate=True)

    assert "possible duplicate" in told(watcher, alert)[0]


def test_of_other_alerts_nothing_stands_there(fleet, delivery_clock, policy, hook, receiver, watcher):
    policy((0, [hook]))
    open_alert(fleet)
    other = open_alert(fleet, terminal=fleet.online(site=fleet.site("OSK")))
    delivery_clock.advance(5)

    assert len(told(watcher, other)) == 1
    assert len(receiver.posted) == 2


def test_what_still_waits_stands_there_too(fleet, delivery_clock, policy, receiver, watcher):
    policy((0, [webhook_destination(receiver.url, "Slow")]), group_wait_s=600)
    alert = open_alert(fleet)
    delivery_clock.advance(5)

    [line] = told(watcher, alert)

    assert "Slow Opened Waiting" in line
