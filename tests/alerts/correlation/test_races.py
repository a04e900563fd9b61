"""Concurrent changes: correlation does not wait for locks, and never overrides a recovery."""

import pytest
from django.db import connection, transaction

from tests.support import factories
from tests.support.alerts.incidents import members_of, only_incident, transitions_of
from tests.support.builders import later
from tests.support.threads import open_transaction, run_concurrently
from tms.alerts import correlation, lifecycle
from tms.alerts.models import Alert, Incident
from tms.alerts.suppression import at_open

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


def recover(storm, *terminals):
    @transaction.atomic
    def act() -> None:
        lifecycle.apply_events([lifecycle.RuleCleared(storm.rule.pk, each.pk, later(2)) for each in terminals])

    return act


@pytest.fixture
def shop(storm):
    """Lost, and not correlated yet."""
    shop = storm.shop("SJK", 6)
    storm.lose(shop, seconds=0)
    return shop


def test_a_terminal_that_recovers_concurrently_is_not_correlated_and_blocks_no_one(storm, shop):
    with open_transaction(recover(storm, shop[0])):
        correlation.correlate(later(1))
        members = members_of(only_incident())
    correlation.correlate(later(3))

    assert members == 5
    assert Alert.objects.get(terminal=shop[0]).incident is None


def test_recording_suppressions_at_open_does_not_wait_either(storm, shop):
    with open_transaction(recover(storm, shop[0])):
        recorded = at_open.record_suppressed_at_open(later(1))

    assert recorded == 5
    assert at_open.record_suppressed_at_open(later(3)) == 1


def test_locked_alerts_join_in_the_next_pass(storm, shop):
    with open_transaction(lambda: Alert.objects.filter(terminal=shop[0]).update(comment="seen")):
        correlation.correlate(later(1))
    correlation.correlate(later(2))

    assert members_of(only_incident()) == 6
    assert transitions_of(only_incident()) == [("opened", 6)]  # the sixth a moment later


@pytest.mark.parametrize("is_snoozed", [True, False])
def test_alerts_that_were_locked_when_they_joined_are_covered_later(storm, fleet, shop, is_snoozed):
    correlation.correlate(later(1))
    if is_snoozed:
        correlation.snooze(only_incident(), by=fleet.person(), comment="", at=later(2), until=later(3_600))
    else:
        correlation.acknowledge(only_incident(), by=fleet.person(), comment="", at=later(2))
    late = factories.alert(fleet, site=fleet.site("SJK"))
    Alert.objects.filter(pk=late.pk).update(incident=only_incident())

    with open_transaction(lambda: list(Alert.objects.filter(pk=late.pk).locked())):
        correlation.correlate(later(3))
    before = Alert.objects.unacknowledged().count()
    correlation.correlate(later(4))

    assert (before, Alert.objects.unacknowledged().count()) == (1, 0)


def test_two_leaders_open_one_incident(storm, shop):
    """One that resumes after a pause and still considers itself the leader."""
    run_concurrently(4, lambda n: correlation.correlate(later(1 + n)))

    assert Incident.objects.count() == 1
    assert members_of(only_incident()) == 6


def test_correlations_race_with_recoveries_and_people_and_all_end_resolved(storm, fleet, shop):
    correlation.correlate(later(1))
    person = fleet.person()

    def act(n: int) -> object:
        if n == 0:
            return correlation.acknowledge(only_incident(), by=person, comment="", at=later(2))
        if n == 1:
            return correlation.correlate(later(3))
        return recover(storm, *shop[n - 2 :: 3])()

    results = run_concurrently(5, act)
    correlation.correlate(later(5))
    correlation.correlate(later(6))

    unexpected = [
        each for each in results if isinstance(each, Exception) and not isinstance(each, lifecycle.AlreadyResolved)
    ]
    assert unexpected == []
    assert not Alert.objects.unresolved().exists()
    assert only_incident().state == "resolved"


def test_a_row_may_refer_to_an_incident_that_a_correlation_locks(storm, shop):
    """The outbox refers to incidents so: its transaction may hold the transition to which a correlation adds."""
    correlation.correlate(later(1))
    pk = only_incident().pk

    def refer() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '2s'")
            cursor.execute("SELECT 1 FROM alerts_incident WHERE id = %s FOR KEY SHARE", [pk])

    with open_transaction(lambda: correlation.correlate(later(2))), transaction.atomic():
        refer()
