"""The history of an alert shows its notifications."""

from django.test import Client

from tests.support.notifications.alerts import open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tests.support.pages import HtmlPage
from tms.notifications.models.delivery import Delivery

DAY = 86_400


def shown_messages(client: Client, alert) -> list[str]:
    seen = HtmlPage(client.get(alert.get_absolute_url()))
    return [seen.text(element) for element in seen.rows("notification-")]


def test_each_message_is_shown_with_its_destination_and_its_result(fleet, delivery_clock, policy, hook, watcher):
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)
    delivery_clock.advance(5)

    recovery, opening = shown_messages(watcher, alert)

    assert "Hook Opened Sent" in opening
    assert "Hook Resolved Sent" in recovery


def test_a_failed_delivery_shows_the_response_and_the_number_of_attempts(
    fleet, delivery_clock, policy, hook, receiver, watcher
):
    receiver.script = [(503, {"body": "busy"}), (410, {"body": "gone"})]
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(60)

    [line] = shown_messages(watcher, alert)

    assert "Failed, 2 attempts: 410 Gone: gone" in line


def test_a_possible_duplicate_is_shown_as_such(fleet, delivery_clock, policy, hook, watcher):
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    Delivery.objects.update(possible_duplicate=True)

    assert "possible duplicate" in shown_messages(watcher, alert)[0]


def test_messages_about_other_alerts_are_not_shown(fleet, delivery_clock, policy, hook, receiver, watcher):
    policy((0, [hook]))
    open_alert(fleet)
    other = open_alert(fleet, terminal=fleet.online(site=fleet.site("OSK")))
    delivery_clock.advance(5)

    assert len(shown_messages(watcher, other)) == 1
    assert len(receiver.posted) == 2


def test_waiting_messages_are_shown_too(fleet, delivery_clock, policy, receiver, watcher):
    policy((0, [webhook_destination(receiver.url, "Slow")]), group_wait_s=600)
    alert = open_alert(fleet)
    delivery_clock.advance(5)

    [line] = shown_messages(watcher, alert)

    assert "Slow Opened Waiting" in line
