"""Acknowledging alerts; a recovery always wins."""

import pytest
from django.db import transaction

from tests.support.alerts.events import acknowledge, cleared, open_alert, queryset_of, transition_kinds, triggered
from tests.support.builders import later
from tests.support.threads import run_concurrently
from tms.alerts import lifecycle
from tms.alerts.lifecycle import AlreadyAcknowledged, AlreadyResolved
from tms.alerts.models import Alert

pytestmark = pytest.mark.both


def test_an_acknowledgement_stores_the_person_and_a_transition(fleet, rule, terminal):
    alert = open_alert(rule, terminal)

    lifecycle.acknowledge(queryset_of(alert), by=fleet.person("aiko"), comment="on it", at=later(5))

    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by.username) == ("acknowledged", "aiko")
    assert (alert.acknowledged_at, alert.comment) == (later(5), "on it")
    step = alert.transitions.last()
    assert (step.kind, step.by.username, step.comment, step.at) == ("acknowledged", "aiko", "on it", later(5))


def test_a_second_acknowledgement_reports_the_first_one_and_changes_nothing(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    acknowledge(alert, fleet.person("aiko"), comment="mine")

    with pytest.raises(AlreadyAcknowledged, match="was acknowledged first by aiko") as refused:
        acknowledge(alert, fleet.person("ren"), comment="mine too", seconds=6)

    alert.refresh_from_db()
    assert refused.value.code == "tms:already-acknowledged"
    assert (alert.acknowledged_by.username, alert.comment) == ("aiko", "mine")
    assert transition_kinds(alert) == ["opened", "acknowledged"]


def test_acknowledging_ones_own_alert_again_changes_nothing(fleet, rule, terminal):
    alert = open_alert(rule, terminal)

    for seconds in (5, 6):
        acknowledge(alert, fleet.person("aiko"), seconds=seconds, version=alert.version)

    assert transition_kinds(alert) == ["opened", "acknowledged"]


def test_a_recovery_wins_over_a_late_acknowledgement(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.apply_events([cleared(rule, terminal, 5)])

    with pytest.raises(AlreadyResolved, match=f"alert {alert.pk} was resolved at") as refused:
        acknowledge(alert, fleet.person(), seconds=6)

    assert refused.value.code == "tms:already-resolved"
    assert transition_kinds(alert) == ["opened", "resolved"]
    assert Alert.objects.get().acknowledged_by is None


def test_a_recovery_wins_over_an_earlier_acknowledgement(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.acknowledge(queryset_of(alert), by=fleet.person(), comment="", at=later(5))

    lifecycle.apply_events([cleared(rule, terminal, 6)])

    assert transition_kinds(alert) == ["opened", "acknowledged", "resolved"]
    assert Alert.objects.get().acknowledged_by is not None


@pytest.mark.parametrize(
    ("acknowledged_s", "recovered_s", "seen"),
    [(-3, 5, [0, 0, 5]), (4, 5, [0, 4, 5]), (7, 5, [0, 7, 7])],
)
def test_history_keeps_its_order_even_if_the_clocks_of_nodes_differ(
    fleet, rule, terminal, acknowledged_s, recovered_s, seen
):
    alert = open_alert(rule, terminal)

    lifecycle.acknowledge(queryset_of(alert), by=fleet.person(), comment="", at=later(acknowledged_s))
    lifecycle.apply_events([cleared(rule, terminal, recovered_s)])

    alert.refresh_from_db()
    assert transition_kinds(alert) == ["opened", "acknowledged", "resolved"]
    assert list(alert.transitions.values_list("at", flat=True)) == [later(seconds) for seconds in seen]
    assert (alert.acknowledged_at, alert.resolved_at) == (later(seen[1]), later(seen[2]))


def test_an_acknowledged_alert_is_still_the_only_unresolved_one(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.acknowledge(queryset_of(alert), by=fleet.person(), comment="", at=later(5))

    lifecycle.apply_events([triggered(rule, terminal, 6)])

    assert Alert.objects.get() == alert


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_fifty_concurrent_acknowledgements_exactly_one_is_first(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    people = [fleet.person(f"person-{n}") for n in range(50)]

    taken = run_concurrently(
        50,
        lambda n: acknowledge(alert, people[n], seconds=n, comment=f"by {n}"),
    )

    others = [each for each in taken if isinstance(each, AlreadyAcknowledged)]
    assert len(others) == 49
    assert {each.row.acknowledged_by_id for each in others} == {Alert.objects.get().acknowledged_by_id}
    assert transition_kinds(alert) == ["opened", "acknowledged"]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_acknowledgements_that_race_with_the_recovery_end_resolved(fleet, rule, terminal):
    alert, person = open_alert(rule, terminal), fleet.person()

    def act(n: int) -> object:
        if n == 0:
            with transaction.atomic():
                return lifecycle.apply_events([cleared(rule, terminal, 5)])
        return acknowledge(alert, person, seconds=n)

    results = run_concurrently(9, act)

    assert all(not isinstance(each, Exception) or isinstance(each, AlreadyResolved) for each in results)
    assert transition_kinds(alert)[-1] == "resolved"
    assert transition_kinds(alert) in (["opened", "resolved"], ["opened", "acknowledged", "resolved"])
