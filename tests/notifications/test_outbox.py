"""Who is notified of what, and who is not."""

import pytest
from django.utils import timezone

from tests.support.builders import AT
from tests.support.factories import acknowledged
from tests.support.notifications.alerts import event_kinds, notified_alerts, open_alert, resolve_alert
from tests.support.notifications.destinations import webhook_destination
from tms.alerts.models import Transition
from tms.fleet.models import Group
from tms.notifications.models.delivery import Delivery

pytestmark = [pytest.mark.both, pytest.mark.embedded, pytest.mark.django_db]


# Notifications


def test_an_alert_is_notified_once_with_all_data_for_a_machine(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), name="NOC")
    alert = open_alert(fleet, terminal=fleet.online(uid="SJK-1", label="Lane 3"), name="CPU too hot")

    delivery_clock.advance(60)

    [event] = receiver.events
    [facts] = event["data"]["alerts"]
    assert event["type"] == "tms.alerts.opened.v1"
    assert event["subject"] == "SJK"
    assert (event["data"]["policy"], event["data"]["step"]) == ("NOC", 0)
    assert event["data"]["title"] == "Critical: Site SJK: CPU too hot (SJK-1)"
    assert facts["id"] == alert.pk
    assert facts["terminal"] == {"uid": "SJK-1", "label": "Lane 3"}
    assert facts["site"] == {"code": "SJK", "name": "Site SJK"}
    assert (facts["severity"], facts["state"]) == ("critical", "open")
    assert not Transition.objects.filter(dispatched_at=None).exists()


def test_transitions_from_before_a_policy_are_not_notified_later(fleet, delivery_clock, policy, hook, receiver):
    open_alert(fleet)
    delivery_clock.advance(1)
    policy((0, [hook]))

    delivery_clock.advance(60)

    assert receiver.posted == []


@pytest.mark.parametrize("fitting", [True, False])
@pytest.mark.parametrize("what", ["severities", "sites", "groups", "rules"])
def test_a_policy_notifies_of_matching_alerts_only(fleet, delivery_clock, policy, hook, receiver, what, fitting):
    terminal, other = fleet.online(site=fleet.site("SJK")), fleet.online(site=fleet.site("OSK"))
    rule, another = fleet.metric_rule(severity="critical"), fleet.metric_rule()
    group = Group.objects.create(name="Lanes")
    group.terminals.set([terminal if fitting else other])
    choice = {
        "severities": ["critical"] if fitting else ["info", "warning"],
        "sites": [terminal.site if fitting else other.site],
        "groups": [group],
        "rules": [rule if fitting else another],
    }[what]
    policy((0, [hook]), **{what: choice})
    open_alert(fleet, rule=rule, terminal=terminal)

    delivery_clock.advance(5)

    assert len(receiver.posted) == fitting


def test_a_disabled_policy_or_destination_notifies_of_nothing(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), enabled=False)
    policy((0, [webhook_destination(receiver.url, "Off", enabled=False)]))
    open_alert(fleet)

    delivery_clock.advance(60)

    assert receiver.posted == []


def test_it_uses_the_language_of_the_policy_or_else_of_the_destination(fleet, delivery_clock, policy, receiver):
    policy((0, [webhook_destination(receiver.url, "Ja", language="ja")]))
    policy((0, [webhook_destination(receiver.url, "Ja too", language="ja")]), language="en")
    open_alert(fleet, name="CPU too hot", name_ja="CPU高温")

    delivery_clock.advance(1)

    titles = {event["data"]["title"] for event in receiver.events}
    assert len(titles) == 2
    assert any("CPU高温" in title for title in titles)
    assert any("Critical" in title for title in titles)


# Grouping


def test_alerts_within_the_group_wait_are_one_message_per_site(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=5)
    rule = fleet.metric_rule(severity="critical")
    first = [open_alert(fleet, rule=rule, terminal=fleet.online(site=fleet.site(code))) for code in ("SJK", "OSK")]
    delivery_clock.advance(3)
    second = [open_alert(fleet, rule=rule, terminal=fleet.online(site=fleet.site(code))) for code in ("SJK", "OSK")]

    delivery_clock.advance(10)

    assert sorted(map(sorted, notified_alerts(receiver))) == sorted(
        [[a.pk, b.pk] for a, b in zip(first, second, strict=True)]
    )
    assert {event["subject"] for event in receiver.events} == {"SJK", "OSK"}


def test_or_one_message_in_total(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=5, group_by_site=False)
    rule = fleet.metric_rule(severity="critical")
    for code in ("SJK", "OSK"):
        open_alert(fleet, rule=rule, terminal=fleet.online(site=fleet.site(code)))

    delivery_clock.advance(10)

    [event] = receiver.events
    assert event["data"]["title"] == "Critical: 2 alerts at 2 sites"


def test_an_alert_that_recovers_before_its_notification_is_not_notified_at_all(
    fleet, delivery_clock, policy, hook, receiver
):
    policy((0, [hook]), group_wait_s=10)
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)

    delivery_clock.advance(60)

    assert receiver.posted == []
    assert Delivery.objects.get().state == "withdrawn"


def test_notify_after_applies_to_each_alert(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), delay_s=30)
    open_alert(fleet)

    delivery_clock.advance(29)
    before = len(receiver.posted)
    delivery_clock.advance(2)

    assert (before, len(receiver.posted)) == (0, 1)


# Recovery and acknowledgement


def test_a_recovery_is_notified_to_exactly_the_same_recipients(fleet, delivery_clock, policy, hook, receiver):
    other = webhook_destination(receiver.url + "-other", "Other")
    policy((0, [hook]), (600, [other]))
    alert = open_alert(fleet)
    delivery_clock.advance(60)
    resolve_alert(alert, 60)

    delivery_clock.advance(1000)

    assert event_kinds(receiver) == ["opened", "resolved"]
    assert {posted.path for posted in receiver.posted} == {"/hook/s3cret-path"}
    assert receiver.events[1]["data"]["alerts"][0]["resolved_at"]


def test_two_policies_with_one_destination_notify_it_of_the_recovery_once(
    fleet, delivery_clock, policy, hook, receiver
):
    policy((0, [hook]))
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened", "opened", "resolved"]


def test_a_policy_may_leave_out_recoveries(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), notify_resolved=False)
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened"]


def test_an_acknowledgement_is_notified_if_configured(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), notify_acknowledged=True)
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    acknowledged(alert, by=fleet.person("aiko"))

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened", "acknowledged"]
    assert receiver.events[1]["data"]["title"].startswith("Acknowledged by aiko: ")


# Escalation


def test_the_next_step_is_notified_while_the_alert_is_unacknowledged(fleet, delivery_clock, policy, receiver):
    steps = [webhook_destination(f"{receiver.url}/{n}", f"Step {n}") for n in range(3)]
    policy(*((after_s, [step]) for after_s, step in zip((0, 300, 600), steps, strict=True)))
    open_alert(fleet)
    when = []

    for _ in range(17):
        when += [delivery_clock.at] * (len(receiver.posted) - len(when))
        delivery_clock.advance(60, step_s=60)

    assert [posted.path[-1] for posted in receiver.posted] == ["0", "1", "2"]
    assert [round((at - AT).total_seconds()) for at in when] == [60, 300, 900]
    assert "still unacknowledged" in receiver.events[1]["data"]["title"]


def test_an_acknowledgement_ends_it(fleet, delivery_clock, policy, receiver):
    first, second = webhook_destination(receiver.url, "1"), webhook_destination(receiver.url, "2")
    policy((0, [first]), (300, [second]))
    alert = open_alert(fleet)
    delivery_clock.advance(299, step_s=100)
    acknowledged(alert, by=fleet.person())

    delivery_clock.advance(3600, step_s=600)

    assert event_kinds(receiver) == ["opened"]


def test_an_acknowledgement_during_the_group_wait_cancels_the_message(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=10)
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    acknowledged(alert, by=fleet.person())

    delivery_clock.advance(60)

    assert receiver.posted == []


def test_a_step_without_recipients_does_not_delay_escalation(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [webhook_destination(receiver.url, "Off", enabled=False)]), (3600, [hook]))
    open_alert(fleet)

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened"]


def test_the_recipients_of_every_step_are_notified_of_the_recovery(fleet, delivery_clock, policy, receiver):
    first, second = webhook_destination(f"{receiver.url}/1", "1"), webhook_destination(f"{receiver.url}/2", "2")
    policy((0, [first]), (60, [second]))
    alert = open_alert(fleet)
    delivery_clock.advance(70)
    resolve_alert(alert, 80)

    delivery_clock.advance(10)

    assert sorted(posted.path[-1] for posted in receiver.posted[2:]) == ["1", "2"]
    assert timezone.is_aware(Delivery.objects.latest("pk").created_at)
