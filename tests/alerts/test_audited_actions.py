"""Operator actions in the audit trail: one entry for all alerts of an action, with their transitions."""

import pytest
from django.db import connection
from django.db.models import QuerySet
from django.test.utils import CaptureQueriesContext

from tests.support import factories
from tests.support.builders import AT, later
from tms.accounts.audit import recorder
from tms.accounts.models import AuditEntry
from tms.accounts.models.audit_entry import Via
from tms.alerts import audit, lifecycle
from tms.alerts.correlation import actions as of_incident
from tms.alerts.models import Alert, Contract, Transition

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def alerts(fleet) -> list[Alert]:
    rule = fleet.event_rule()
    return [factories.alert(fleet, terminal=terminal, rule=rule) for terminal in fleet.terminals(50)]


def acted() -> QuerySet[AuditEntry]:
    """Entries about alerts; their rule has one of its own."""
    return AuditEntry.objects.filter(subject_type="alerts.alert")


def acknowledge(alerts: list[Alert], by, **terms) -> int:
    """The number of statements."""
    rows = Alert.objects.filter(pk__in=[alert.pk for alert in alerts])
    with CaptureQueriesContext(connection) as queries:
        lifecycle.acknowledge(rows, by=by, comment="On my way", at=AT, **terms)
    return len(queries)


def test_an_action_on_one_alert_is_an_entry_about_it(fleet, alerts):
    acknowledge(alerts[:1], fleet.person("kimura"), contract=Contract.TIME, until=later(60))

    entry, made = acted().get(), Transition.objects.acknowledgements().get()
    assert (entry.action, entry.subject_type, entry.subject_id) == ("acknowledged", "alerts.alert", str(alerts[0].pk))
    assert entry.comment == "On my way"
    assert entry.changes["transitions"] == [None, str(made.pk)]
    assert entry.changes["until"] == [None, later(60).isoformat()]


def test_an_action_on_many_alerts_is_one_entry_and_one_statement(fleet, alerts):
    person = fleet.person("kimura")

    assert acknowledge(alerts[:1], person) == acknowledge(alerts[1:], person)

    entry = AuditEntry.objects.latest("pk")
    pks = sorted(Transition.objects.acknowledgements().values_list("pk", flat=True))[1:]
    assert (entry.subject_id, entry.changes["alerts"]) == ("", [None, 49])
    assert entry.changes["transitions"] == [None, f"{pks[0]}-{pks[-1]}"]


def test_an_action_that_changes_nothing_leaves_no_entry(fleet, alerts):
    person = fleet.person("kimura")
    acknowledge(alerts[:1], person)
    acknowledge(alerts[:1], person)

    assert acted().count() == 1


def test_what_rules_do_is_no_entry(fleet):
    factories.resolved(factories.alert(fleet, terminal=fleet.online(), rule=fleet.event_rule()))

    assert not acted().exists()


def test_an_acknowledgement_that_tms_continues_names_the_person(fleet, alerts):
    with recorder.acting(Via.CLOCK):
        acknowledge(alerts[:1], fleet.person("kimura"))

    entry = acted().get()
    assert (entry.actor, entry.via, entry.changes["by"]) == (None, "clock", [None, "kimura"])


def test_an_action_on_an_incident_is_an_entry_about_it(fleet):
    incident = factories.incident(fleet, "OSK")

    of_incident.acknowledge(incident, by=fleet.person("kimura"), comment="", at=AT)

    entry = AuditEntry.objects.filter(subject_type="alerts.incident").get()
    assert (entry.action, entry.subject_id) == ("acknowledged", str(incident.pk))


@pytest.mark.parametrize(
    ("numbers", "text"), [([7], "7"), ([1, 2, 3], "1-3"), ([1, 2, 4, 6, 7], "1-2,4,6-7"), ([5, 9], "5,9")]
)
def test_consecutive_numbers_are_written_as_ranges(numbers, text):
    assert audit.ranges(numbers) == text
