"""People take charge of alerts; a recovery always wins."""

import pytest
from django.db import transaction

from tests.support.alerts.events import acknowledge, claim, history, one, opened, release
from tests.support.builders import later
from tests.support.threads import at_once
from tms.alerts import lifecycle
from tms.alerts.lifecycle import AlreadyAcknowledged, AlreadyResolved
from tms.alerts.models import Alert

pytestmark = pytest.mark.both


def test_an_acknowledgement_says_who_and_is_a_step_in_the_history(fleet, rule, terminal):
    alert = opened(rule, terminal)

    lifecycle.acknowledge(one(alert), by=fleet.person("aiko"), comment="on it", at=later(5))

    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by.username) == ("acknowledged", "aiko")
    assert (alert.acknowledged_at, alert.comment) == (later(5), "on it")
    step = alert.transitions.last()
    assert (step.kind, step.by.username, step.comment, step.at) == ("acknowledged", "aiko", "on it", later(5))


def test_a_second_acknowledgement_tells_who_was_first_and_changes_nothing(fleet, rule, terminal):
    alert = opened(rule, terminal)
    acknowledge(alert, fleet.person("aiko"), comment="mine")

    with pytest.raises(AlreadyAcknowledged, match="was acknowledged first by aiko") as refused:
        acknowledge(alert, fleet.person("ren"), comment="mine too", seconds=6)

    alert.refresh_from_db()
    assert refused.value.code == "tms:already-acknowledged"
    assert (alert.acknowledged_by.username, alert.comment) == ("aiko", "mine")
    assert history(alert) == ["opened", "acknowledged"]


def test_whoever_has_it_may_acknowledge_it_again_and_changes_nothing(fleet, rule, terminal):
    alert = opened(rule, terminal)

    for seconds in (5, 6):
        acknowledge(alert, fleet.person("aiko"), seconds=seconds, version=alert.version)

    assert history(alert) == ["opened", "acknowledged"]


def test_a_recovery_wins_over_a_late_acknowledgement(fleet, rule, terminal):
    alert = opened(rule, terminal)
    lifecycle.apply_events([release(rule, terminal, 5)])

    with pytest.raises(AlreadyResolved, match=f"alert {alert.pk} was resolved at") as refused:
        acknowledge(alert, fleet.person(), seconds=6)

    assert refused.value.code == "tms:already-resolved"
    assert history(alert) == ["opened", "resolved"]
    assert Alert.objects.get().acknowledged_by is None


def test_a_recovery_wins_over_an_earlier_acknowledgement(fleet, rule, terminal):
    alert = opened(rule, terminal)
    lifecycle.acknowledge(one(alert), by=fleet.person(), comment="", at=later(5))

    lifecycle.apply_events([release(rule, terminal, 6)])

    assert history(alert) == ["opened", "acknowledged", "resolved"]
    assert Alert.objects.get().acknowledged_by is not None


@pytest.mark.parametrize(
    ("acknowledged_s", "recovered_s", "seen"),
    [(-3, 5, [0, 0, 5]), (4, 5, [0, 4, 5]), (7, 5, [0, 7, 7])],
)
def test_history_keeps_the_order_of_what_happened_whatever_the_clocks_of_the_nodes_say(
    fleet, rule, terminal, acknowledged_s, recovered_s, seen
):
    alert = opened(rule, terminal)

    lifecycle.acknowledge(one(alert), by=fleet.person(), comment="", at=later(acknowledged_s))
    lifecycle.apply_events([release(rule, terminal, recovered_s)])

    alert.refresh_from_db()
    assert history(alert) == ["opened", "acknowledged", "resolved"]
    assert list(alert.transitions.values_list("at", flat=True)) == [later(seconds) for seconds in seen]
    assert (alert.acknowledged_at, alert.resolved_at) == (later(seen[1]), later(seen[2]))


def test_an_acknowledged_alert_is_still_the_one_alert(fleet, rule, terminal):
    alert = opened(rule, terminal)
    lifecycle.acknowledge(one(alert), by=fleet.person(), comment="", at=later(5))

    lifecycle.apply_events([claim(rule, terminal, 6)])

    assert Alert.objects.get() == alert


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_fifty_who_acknowledge_at_once_exactly_one_is_first(fleet, rule, terminal):
    alert = opened(rule, terminal)
    people = [fleet.person(f"person-{n}") for n in range(50)]

    taken = at_once(
        50,
        lambda n: acknowledge(alert, people[n], seconds=n, comment=f"by {n}"),
    )

    others = [each for each in taken if isinstance(each, AlreadyAcknowledged)]
    assert len(others) == 49
    assert {each.row.acknowledged_by_id for each in others} == {Alert.objects.get().acknowledged_by_id}
    assert history(alert) == ["opened", "acknowledged"]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_acknowledgements_that_race_with_the_recovery_end_resolved(fleet, rule, terminal):
    alert, person = opened(rule, terminal), fleet.person()

    def act(n: int) -> object:
        if n == 0:
            with transaction.atomic():
                return lifecycle.apply_events([release(rule, terminal, 5)])
        return acknowledge(alert, person, seconds=n)

    results = at_once(9, act)

    assert all(not isinstance(each, Exception) or isinstance(each, AlreadyResolved) for each in results)
    assert history(alert)[-1] == "resolved"
    assert history(alert) in (["opened", "resolved"], ["opened", "acknowledged", "resolved"])
