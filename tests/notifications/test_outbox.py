"""Who is told of what, and who is not."""

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


# What is told


def test_an_alert_is_told_once_with_everything_that_a_machine_needs(fleet, delivery_clock, policy, hook, receiver):
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


def test_what_happened_before_there_was_a_policy_is_not_told_later(fleet, delivery_clock, policy, hook, receiver):
    open_alert(fleet)
    delivery_clock.advance(1)
    policy((0, [hook]))

    delivery_clock.advance(60)

    assert receiver.posted == []


@pytest.mark.parametrize("fitting", [True, False])
@pytest.mark.parametrize("what", ["severities", "sites", "groups", "rules"])
def test_a_policy_tells_of_what_it_is_for(fleet, delivery_clock, policy, hook, receiver, what, fitting):
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


def test_a_policy_or_destination_that_is_off_tells_nothing(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), enabled=False)
    policy((0, [webhook_destination(receiver.url, "Off", enabled=False)]))
    open_alert(fleet)

    delivery_clock.advance(60)

    assert receiver.posted == []


def test_it_speaks_the_language_of_the_policy_or_else_of_the_destination(fleet, delivery_clock, policy, receiver):
    policy((0, [webhook_destination(receiver.url, "Ja", language="ja")]))
    policy((0, [webhook_destination(receiver.url, "Ja too", language="ja")]), language="en")
    open_alert(fleet, name="CPU too hot", name_ja="CPU高温")

    delivery_clock.advance(1)

    titles = {event["data"]["title"] for event in receiver.events}
    assert len(titles) == 2
    assert any("CPU高温" in title for title in titles)
    assert any("Critical" in title for title in titles)


# Company


def test_alerts_within_a_short_time_go_in_one_message_for_each_site(fleet, delivery_clock, policy, hook, receiver):
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


def test_or_one_message_for_all(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=5, group_by_site=False)
    rule = fleet.metric_rule(severity="critical")
    for code in ("SJK", "OSK"):
        open_alert(fleet, rule=rule, terminal=fleet.online(site=fleet.site(code)))

    delivery_clock.advance(10)

    [event] = receiver.events
    assert event["data"]["title"] == "Critical: 2 alerts at 2 sites"


def test_what_recovers_before_it_was_told_is_told_neither_way(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=10)
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)

    delivery_clock.advance(60)

    assert receiver.posted == []
    assert Delivery.objects.get().state == "withdrawn"


def test_a_delay_is_waited_for_each_alert(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), delay_s=30)
    open_alert(fleet)

    delivery_clock.advance(29)
    before = len(receiver.posted)
    delivery_clock.advance(2)

    assert (before, len(receiver.posted)) == (0, 1)


# Recovery and acknowledgement


def test_a_recovery_is_told_to_exactly_those_who_were_told(fleet, delivery_clock, policy, hook, receiver):
    other = webhook_destination(receiver.url + "-other", "Other")
    policy((0, [hook]), (600, [other]))
    alert = open_alert(fleet)
    delivery_clock.advance(60)
    resolve_alert(alert, 60)

    delivery_clock.advance(1000)

    assert event_kinds(receiver) == ["opened", "resolved"]
    assert {posted.path for posted in receiver.posted} == {"/hook/s3cret-path"}
    assert receiver.events[1]["data"]["alerts"][0]["resolved_at"]


def test_two_policies_with_one_destination_tell_it_of_the_recovery_once(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]))
    policy((0, [hook]))
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened", "opened", "resolved"]


def test_a_policy_may_be_silent_about_recoveries(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), notify_resolved=False)
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    resolve_alert(alert, 6)

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened"]


def test_an_acknowledgement_is_told_where_that_is_wanted(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), notify_acknowledged=True)
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    acknowledged(alert, by=fleet.person("aiko"))

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened", "acknowledged"]
    assert receiver.events[1]["data"]["title"].startswith("Acknowledged by aiko: ")


# Escalation


def test_the_next_step_is_taken_while_nobody_acknowledges(fleet, delivery_clock, policy, receiver):
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


def test_an_acknowledgement_while_a_message_gathers_makes_it_needless(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [hook]), group_wait_s=10)
    alert = open_alert(fleet)
    delivery_clock.advance(5)
    acknowledged(alert, by=fleet.person())

    delivery_clock.advance(60)

    assert receiver.posted == []


def test_a_step_that_can_reach_nobody_is_not_waited_for(fleet, delivery_clock, policy, hook, receiver):
    policy((0, [webhook_destination(receiver.url, "Off", enabled=False)]), (3600, [hook]))
    open_alert(fleet)

    delivery_clock.advance(5)

    assert event_kinds(receiver) == ["opened"]


def test_those_told_by_every_step_are_told_of_the_recovery(fleet, delivery_clock, policy, receiver):
    first, second = webhook_destination(f"{receiver.url}/1", "1"), webhook_destination(f"{receiver.url}/2", "2")
    policy((0, [first]), (60, [second]))
    alert = open_alert(fleet)
    delivery_clock.advance(70)
    resolve_alert(alert, 80)

    delivery_clock.advance(10)

    assert sorted(posted.path[-1] for posted in receiver.posted[2:]) == ["1", "2"]
    assert timezone.is_aware(Delivery.objects.latest("pk").created_at)
