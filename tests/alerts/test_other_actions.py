"""Alerts are snoozed, assigned, commented on and resolved by hand: one or many, and repeating has no effect."""

import pytest

from tests.support.alerts.events import (
    actions_on,
    cleared,
    open_alert,
    queryset_of,
    terms_of,
    transition_kinds,
    triggered,
)
from tests.support.builders import later
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Condition, Contract, Transition
from tms.alerts.suppression.reasons import Suppression, suppressions

pytestmark = pytest.mark.both


def newest(alert: Alert):
    """The newest transition."""
    step = alert.transitions.last()
    return step.kind, step.by and step.by.username, step.to and step.to.username, step.comment


# Snoozing


@pytest.mark.parametrize("is_acknowledged", [False, True])
def test_a_snoozed_alert_is_unacknowledged_and_reopens_by_itself(fleet, rule, terminal, scheduler, is_acknowledged):
    alert = open_alert(rule, terminal)
    if is_acknowledged:
        lifecycle.acknowledge(queryset_of(alert), by=fleet.person("aiko"), comment="on it", at=later(1))

    lifecycle.snooze(queryset_of(alert), until=later(60), by=fleet.person("ren"), comment="works at night", at=later(5))
    scheduler.advance(seconds=59, step_s=59)
    asleep = Alert.objects.get()
    scheduler.advance(seconds=1)
    awake = Alert.objects.get()

    assert (asleep.state, asleep.until, asleep.acknowledged_by) == ("snoozed", later(60), None)
    assert (awake.state, awake.until, awake.comment) == ("open", None, "works at night")
    assert transition_kinds(alert)[-2:] == ["snoozed", "expired"]


def test_a_snoozed_alert_recovers_as_usual(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.snooze(queryset_of(alert), until=later(60), by=fleet.person(), comment="", at=later(5))

    lifecycle.apply_events([cleared(rule, terminal, 9)])

    assert transition_kinds(alert) == ["opened", "snoozed", "resolved"]
    assert lifecycle.expire(later(60)) == 0


def test_a_snoozed_alert_can_be_acknowledged(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.snooze(queryset_of(alert), until=later(60), by=fleet.person(), comment="", at=later(5))

    taken = lifecycle.acknowledge(queryset_of(alert), by=fleet.person("ren"), comment="", at=later(9))

    assert taken == 1
    assert lifecycle.expire(later(60)) == 0


def test_a_snooze_is_extended_and_repeating_it_changes_nothing(fleet, rule, terminal):
    alert, person = open_alert(rule, terminal), fleet.person()
    moved = [
        lifecycle.snooze(queryset_of(alert), until=later(until), by=person, comment="", at=later(5))
        for until in (60, 60, 90)
    ]

    assert moved == [1, 0, 1]
    assert Alert.objects.get().until == later(90)


# Assigning


def test_an_assigned_alert_stays_open(fleet, rule, terminal):
    alert = open_alert(rule, terminal)

    lifecycle.assign(
        queryset_of(alert), to=fleet.person("ren"), by=fleet.person("aiko"), comment="your site", at=later(5)
    )

    alert.refresh_from_db()
    assert (alert.state, alert.assigned_to.username) == ("open", "ren")
    assert newest(alert) == ("assigned", "aiko", "ren", "your site")


def test_an_acknowledgement_ends_the_assignment(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.assign(queryset_of(alert), to=fleet.person("ren"), by=fleet.person("aiko"), comment="", at=later(5))

    lifecycle.acknowledge(queryset_of(alert), by=fleet.person("aiko"), comment="", at=later(9))

    alert.refresh_from_db()
    assert (alert.acknowledged_by.username, alert.assigned_to) == ("aiko", None)


def test_what_is_acknowledged_is_handed_over_under_the_same_contract(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.acknowledge(
        queryset_of(alert),
        by=fleet.person("aiko"),
        comment="on it",
        at=later(1),
        contract=Contract.TIME,
        until=later(60),
    )

    lifecycle.assign(queryset_of(alert), to=fleet.person("ren"), by=fleet.person("aiko"), comment="", at=later(5))

    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by.username, alert.acknowledged_at) == ("acknowledged", "ren", later(1))
    assert (alert.until, alert.comment) == (later(60), "on it")


def test_repeating_an_assignment_changes_nothing(fleet, rule, terminal):
    alert, ren = open_alert(rule, terminal), fleet.person("ren")

    moved = [lifecycle.assign(queryset_of(alert), to=ren, by=ren, comment="", at=later(n)) for n in (5, 6)]

    assert moved == [1, 0]


# Comments


def test_the_latest_comment_is_shown(fleet, rule, terminal):
    alert = open_alert(rule, terminal)

    moved = [
        lifecycle.comment(queryset_of(alert), by=fleet.person("aiko"), comment="called them", at=later(n))
        for n in (5, 6)
    ]

    alert.refresh_from_db()
    assert moved == [1, 0]
    assert (alert.state, alert.comment) == ("open", "called them")
    assert newest(alert) == ("commented", "aiko", None, "called them")


# Resolving by hand


def test_a_person_resolves_an_alert_if_the_rule_allows_it(fleet, terminal):
    rule = fleet.event_rule(may_be_resolved_by_hand=True)
    alert = open_alert(rule, terminal)

    moved = lifecycle.resolve(queryset_of(alert), by=fleet.person("aiko"), comment="cleaned", at=later(5))

    alert.refresh_from_db()
    assert moved == 1
    assert (alert.state, alert.resolved_at, alert.comment) == ("resolved", later(5), "cleaned")
    assert newest(alert) == ("resolved", "aiko", None, "cleaned")
    assert not Condition.objects.exists()


def test_it_reopens_if_the_problem_recurs(fleet, terminal):
    rule = fleet.event_rule(may_be_resolved_by_hand=True)
    first = open_alert(rule, terminal)
    lifecycle.resolve(queryset_of(first), by=fleet.person(), comment="", at=later(5))

    lifecycle.apply_events([triggered(rule, terminal, 9)])

    assert Alert.objects.unresolved().get().opened_at == later(9)


def test_it_cannot_be_resolved_by_hand_unless_its_rule_permits_it(fleet, rule, terminal):
    alert = open_alert(rule, terminal)

    moved = lifecycle.resolve(queryset_of(alert), by=fleet.person(), comment="", at=later(5))

    assert moved == 0
    assert transition_kinds(alert) == ["opened"]


# Stale acknowledgements


def test_an_acknowledgement_without_activity_causes_repeated_reminders(fleet, rule, terminal, settings):
    settings.STALE_AFTER_S = 100
    alert = open_alert(rule, terminal)
    lifecycle.acknowledge(queryset_of(alert), by=fleet.person("aiko"), comment="", at=later(0))

    reminded = [lifecycle.remind(later(seconds)) for seconds in (99, 100, 199, 200)]

    assert reminded == [0, 1, 0, 1]
    assert Alert.objects.stale().get() == alert
    assert newest(alert) == ("reminded", None, "aiko", "")


@pytest.mark.parametrize(
    "act",
    [
        lambda alerts, by: lifecycle.comment(alerts, by=by, comment="the part is coming", at=later(150)),
        lambda alerts, by: lifecycle.change_acknowledgement(
            alerts, contract=Contract.WORSE, until=None, by=by, comment="", at=later(150)
        ),
    ],
    ids=["comment", "change"],
)
def test_any_comment_ends_the_stale_state(fleet, rule, terminal, settings, act):
    settings.STALE_AFTER_S = 100
    alert = open_alert(rule, terminal)
    lifecycle.acknowledge(queryset_of(alert), by=fleet.person(), comment="", at=later(0))
    lifecycle.remind(later(100))

    act(queryset_of(alert), fleet.person("ren"))

    assert not Alert.objects.stale().exists()
    assert [lifecycle.remind(later(seconds)) for seconds in (249, 250)] == [0, 1]


def test_an_acknowledgement_until_a_time_causes_no_reminder_before_it(fleet, rule, terminal, settings):
    settings.STALE_AFTER_S = 100
    alert, person = open_alert(rule, terminal), fleet.person()
    lifecycle.acknowledge(
        queryset_of(alert), by=person, comment="", at=later(0), contract=Contract.TIME, until=later(9_000)
    )
    lifecycle.comment(queryset_of(alert), by=person, comment="still waiting", at=later(5))

    assert lifecycle.remind(later(8_999)) == 0


def test_no_reminders_for_open_snoozed_or_resolved_alerts(fleet, rule, terminal, settings):
    settings.STALE_AFTER_S = 100
    person = fleet.person()
    given, put_off, over = (open_alert(rule, fleet.online()) for _ in range(3))
    lifecycle.acknowledge(Alert.objects.all(), by=person, comment="", at=later(0))
    lifecycle.reopen(queryset_of(given), by=person, comment="", at=later(1))
    lifecycle.snooze(queryset_of(put_off), until=later(500), by=person, comment="", at=later(1))
    lifecycle.apply_events([cleared(rule, over.terminal, 1)])

    assert lifecycle.remind(later(400)) == 0


def test_without_a_limit_there_are_no_reminders(fleet, rule, terminal, settings):
    settings.STALE_AFTER_S = 0
    alert, person = open_alert(rule, terminal), fleet.person()
    lifecycle.acknowledge(queryset_of(alert), by=person, comment="", at=later(0))
    lifecycle.comment(queryset_of(alert), by=person, comment="still waiting", at=later(5))

    assert lifecycle.remind(later(10**9)) == 0


# Many at once


@pytest.mark.parametrize("action", actions_on("acknowledged").values(), ids=lambda action: action.name)
def test_five_hundred_cost_as_many_queries_as_one(fleet, settings, django_assert_max_num_queries, action):
    settings.APPROVAL_ALERTS = 0
    rule, person = fleet.event_rule(may_be_resolved_by_hand=True), fleet.person()
    terms = terms_of(action, comment="all", to=fleet.person("ren"))
    lifecycle.trigger([triggered(rule, terminal) for terminal in fleet.terminals(500, presence="online")])
    lifecycle.acknowledge(Alert.objects.all(), by=person, comment="mine", at=later(1))

    with django_assert_max_num_queries(12):
        moved = action.alert.run(Alert.objects.all(), by=person, at=later(5), **terms)

    assert moved == 500
    assert Transition.objects.filter(comment="all").count() == 500


@pytest.mark.django_db(transaction=True)
def test_one_message_is_published_for_all_of_them(fleet, rule, feed_recorder):
    alerts, person = [open_alert(rule, fleet.online()) for _ in range(3)], fleet.person()
    feed_recorder.changes()

    lifecycle.snooze(Alert.objects.all(), until=later(60), by=person, comment="", at=later(5))

    (change,) = feed_recorder.changes()
    assert change.alerts == {alert.pk for alert in alerts}


def test_a_snoozed_alert_causes_no_notification_until_it_reopens(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.snooze(queryset_of(alert), until=later(60), by=fleet.person(), comment="", at=later(5))

    asked = [suppressions([alert], at=later(seconds)).get(alert.pk) for seconds in (10, 60)]

    assert asked == [Suppression("snoozed", later(60)), None]
