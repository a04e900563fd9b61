"""Acknowledging many alerts at once; those acknowledged by others are left out."""

import pytest
from django.db import transaction

from tests.support import factories
from tests.support.alerts.events import cleared, open_alert, queryset_of, transition_kinds
from tests.support.builders import later
from tests.support.threads import open_transaction, run_concurrently
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Transition

pytestmark = pytest.mark.both


@pytest.fixture
def three(fleet, rule) -> list[Alert]:
    return [open_alert(rule, fleet.online()) for _ in range(3)]


def take(person, *, seconds: float = 5, comment: str = "all mine", among=None) -> int:
    alerts = Alert.objects.all() if among is None else Alert.objects.filter(pk__in=[alert.pk for alert in among])
    return lifecycle.acknowledge(alerts, by=person, comment=comment, at=later(seconds))


def test_each_alert_stores_the_person_and_a_transition(fleet, three):
    taken = take(fleet.person("aiko"))

    assert taken == 3
    for alert in Alert.objects.all():
        assert (alert.state, alert.acknowledged_by.username) == ("acknowledged", "aiko")
        assert (alert.acknowledged_at, alert.comment) == (later(5), "all mine")
        step = alert.transitions.last()
        assert (step.kind, step.by.username, step.comment, step.at) == ("acknowledged", "aiko", "all mine", later(5))


def test_acknowledged_and_resolved_alerts_are_not_changed(fleet, rule, three):
    acknowledged, over, free = three
    lifecycle.acknowledge(queryset_of(acknowledged), by=fleet.person("ren"), comment="mine", at=later(1))
    lifecycle.apply_events([cleared(rule, over.terminal, 2)])

    taken = take(fleet.person("aiko"))

    assert taken == 1
    assert transition_kinds(acknowledged) == ["opened", "acknowledged"]
    assert transition_kinds(over) == ["opened", "resolved"]
    assert transition_kinds(free) == ["opened", "acknowledged"]
    assert Alert.objects.get(pk=acknowledged.pk).acknowledged_by.username == "ren"
    assert Alert.objects.get(pk=over.pk).acknowledged_by is None


def test_only_the_selected_alerts_are_acknowledged(fleet, three):
    taken = take(fleet.person(), among=three[:2])

    assert taken == 2
    assert Alert.objects.unacknowledged().get() == three[2]


def test_repeating_it_changes_nothing(fleet, three):
    person = fleet.person()
    take(person)

    assert take(person, seconds=9, comment="again") == 0
    assert set(Alert.objects.values_list("comment", "acknowledged_at")) == {("all mine", later(5))}
    assert Transition.objects.filter(kind="acknowledged").count() == 3


def test_history_keeps_its_order_when_this_node_s_clock_is_behind(fleet, three):
    take(fleet.person(), seconds=-3)

    assert set(Transition.objects.filter(kind="acknowledged").values_list("at", flat=True)) == {later(0)}
    assert set(Alert.objects.values_list("acknowledged_at", flat=True)) == {later(0)}


@pytest.mark.django_db(transaction=True)
def test_one_message_is_published_for_all_of_them(fleet, three, feed_recorder):
    person = fleet.person()
    feed_recorder.changes()

    take(person)

    (change,) = feed_recorder.changes()
    assert change.alerts == {alert.pk for alert in three}
    assert change.terminals == {alert.terminal_id for alert in three}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_published_if_nothing_changed(fleet, three, feed_recorder):
    take(fleet.person())
    ren = fleet.person("ren")
    feed_recorder.changes()

    take(ren)

    assert feed_recorder.changes() == []


def test_five_hundred_cost_as_many_queries_as_one(fleet, rule, django_assert_max_num_queries):
    factories.alerts(rule, fleet.terminals(500, presence="online"), [later(0)] * 500)
    person = fleet.person()

    with django_assert_max_num_queries(10):
        taken = take(person)

    assert taken == 500


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_alerts_that_recover_concurrently_are_left_out_and_block_no_one(fleet, rule, three):
    recovering, person = three[0], fleet.person()

    with open_transaction(lambda: lifecycle.apply_events([cleared(rule, recovering.terminal, 5)])):
        taken = take(person, seconds=6)

    assert taken == 2
    assert transition_kinds(recovering) == ["opened", "resolved"]
    assert Alert.objects.get(pk=recovering.pk).acknowledged_by is None


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_alerts_acknowledged_concurrently_keep_their_person(fleet, three):
    aiko, ren = fleet.person("aiko"), fleet.person("ren")

    with open_transaction(lambda: take(ren, among=three[:1])):
        taken = take(aiko)

    assert taken == 2
    assert Alert.objects.get(pk=three[0].pk).acknowledged_by == ren


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_many_concurrent_acknowledgements_each_alert_has_one(fleet, rule):
    alerts = [open_alert(rule, fleet.online()) for _ in range(20)]
    people = [fleet.person(f"person-{n}") for n in range(8)]

    taken = run_concurrently(8, lambda n: take(people[n], seconds=n))

    assert sum(taken) == Transition.objects.filter(kind="acknowledged").count()
    assert all(transition_kinds(alert) in (["opened"], ["opened", "acknowledged"]) for alert in alerts)
    assert sum(taken) + take(people[0]) == 20


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_acknowledging_all_races_with_recoveries_and_all_end_resolved(fleet, rule):
    alerts = [open_alert(rule, fleet.online()) for _ in range(12)]
    person = fleet.person()

    def act(n: int) -> object:
        if n % 2:
            return take(person, seconds=n)
        with transaction.atomic():
            return lifecycle.apply_events([cleared(rule, alert.terminal, 20) for alert in alerts[n // 2 :: 4]])

    results = run_concurrently(8, act)

    assert [each for each in results if isinstance(each, Exception)] == []
    assert all(transition_kinds(alert)[-1] == "resolved" for alert in alerts)
    assert Transition.objects.filter(kind="resolved").count() == 12
