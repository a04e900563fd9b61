"""The contract of an acknowledgement, and what ends it early."""

import pytest
from django.db import transaction

from tests.support.alerts.events import (
    acknowledge,
    actions_on,
    cleared,
    open_alert,
    queryset_of,
    terms_of,
    transition_kinds,
    triggered,
)
from tests.support.builders import later
from tests.support.threads import run_concurrently
from tms.alerts import lifecycle
from tms.alerts.lifecycle import ChangedMeanwhile
from tms.alerts.models import Alert, Contract

pytestmark = pytest.mark.both

UNACKNOWLEDGED = ("open", None, None, "", None, None)


def acknowledgement_of(alert: Alert) -> tuple:
    """What the page shows: who acknowledged, and until when."""
    alert.refresh_from_db()
    return (
        alert.state,
        alert.acknowledged_by_id,
        alert.acknowledged_at,
        alert.contract,
        alert.until,
        alert.remind_at,
    )


def take(alert: Alert, by, *, seconds: float = 5, contract=Contract.RECOVERY, until=None, **more):
    acknowledge(alert, by, seconds=seconds, comment="on it", contract=contract, until=until, **more)


@pytest.mark.parametrize(
    ("contract", "until", "stored"),
    [
        (Contract.RECOVERY, None, None),
        (Contract.RECOVERY, later(60), None),
        (Contract.TIME, later(60), later(60)),
        (Contract.WORSE, None, None),
    ],
)
def test_an_acknowledgement_stores_its_contract_in_the_history(fleet, rule, terminal, contract, until, stored):
    alert = open_alert(rule, terminal)

    take(alert, fleet.person(), contract=contract, until=until)

    step = alert.transitions.last()
    assert acknowledgement_of(alert)[3:5] == (contract, stored)
    assert (step.contract, step.until, step.severity) == (contract, stored, rule.severity)


def test_a_contract_until_a_time_expires(fleet, rule, terminal, scheduler):
    alert = open_alert(rule, terminal)
    take(alert, fleet.person(), contract=Contract.TIME, until=later(60))

    scheduler.advance(seconds=59, step_s=59)
    before = acknowledgement_of(alert)[0]
    scheduler.advance(seconds=1)

    assert before == "acknowledged"
    assert acknowledgement_of(alert) == UNACKNOWLEDGED
    assert transition_kinds(alert) == ["opened", "acknowledged", "expired"]
    assert alert.comment == "on it"


def test_a_contract_expires_once(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    take(alert, fleet.person(), contract=Contract.TIME, until=later(60))

    assert [lifecycle.expire(later(seconds)) for seconds in (59, 60, 61)] == [0, 1, 0]


def test_a_recovery_before_the_time_leaves_nothing_to_expire(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    take(alert, fleet.person("aiko"), contract=Contract.TIME, until=later(60))
    lifecycle.apply_events([cleared(rule, terminal, 30)])

    ended = lifecycle.expire(later(60))

    assert ended == 0
    assert transition_kinds(alert) == ["opened", "acknowledged", "resolved"]
    alert.refresh_from_db()
    assert (alert.acknowledged_by.username, alert.until) == ("aiko", None)


def test_a_contract_is_changed_and_the_person_stays_responsible(fleet, rule, terminal, scheduler):
    alert, aiko, ren = open_alert(rule, terminal), fleet.person("aiko"), fleet.person("ren")
    take(alert, aiko, contract=Contract.TIME, until=later(60))

    moved = lifecycle.change_acknowledgement(
        queryset_of(alert), contract=Contract.TIME, until=later(120), by=ren, comment="the part is late", at=later(30)
    )

    scheduler.advance(seconds=119, step_s=40)
    assert moved == 1
    assert acknowledgement_of(alert)[:5] == ("acknowledged", aiko.pk, later(5), "time", later(120))
    assert alert.comment == "the part is late"
    assert alert.transitions.last().by == ren
    assert transition_kinds(alert) == ["opened", "acknowledged", "changed"]


def test_the_same_contract_again_changes_nothing(fleet, rule, terminal):
    alert, person = open_alert(rule, terminal), fleet.person()
    take(alert, person, contract=Contract.WORSE)

    moved = lifecycle.change_acknowledgement(
        queryset_of(alert), contract=Contract.WORSE, until=None, by=person, comment="", at=later(9)
    )

    assert moved == 0
    assert transition_kinds(alert) == ["opened", "acknowledged"]


def test_a_reopened_alert_can_be_acknowledged_again(fleet, rule, terminal):
    alert, aiko, ren = open_alert(rule, terminal), fleet.person("aiko"), fleet.person("ren")
    take(alert, aiko)

    moved = lifecycle.reopen(queryset_of(alert), by=aiko, comment="my shift ends", at=later(9))

    assert moved == 1
    assert acknowledgement_of(alert) == UNACKNOWLEDGED
    assert alert.comment == "my shift ends"
    take(alert, ren, seconds=10)
    assert transition_kinds(alert) == ["opened", "acknowledged", "withdrawn", "acknowledged"]


@pytest.mark.parametrize("action", actions_on("acknowledged").values(), ids=lambda action: action.name)
def test_resolved_alerts_are_not_changed(fleet, rule, terminal, action):
    alert, person = open_alert(rule, terminal), fleet.person()
    take(alert, person)
    lifecycle.apply_events([cleared(rule, terminal, 7)])
    terms = terms_of(action, comment="too late", to=fleet.person("ren"))

    moved = action.alert.run(queryset_of(alert), by=person, at=later(9), **terms)

    alert.refresh_from_db()
    assert moved == 0
    assert (alert.state, alert.comment) == ("resolved", "on it")
    assert transition_kinds(alert) == ["opened", "acknowledged", "resolved"]


def test_an_outdated_version_cannot_be_acknowledged(fleet, rule, terminal):
    alert, person = open_alert(rule, terminal), fleet.person()
    lifecycle.apply_events([triggered(rule, terminal, 3, severity="critical")])

    with pytest.raises(ChangedMeanwhile) as refused:
        take(alert, person, version=alert.version)

    alert.refresh_from_db()
    assert refused.value.code == "tms:changed-meanwhile"
    assert str(refused.value) == f"alert {alert.pk} has changed to version {alert.version}; read it again"
    take(alert, person, version=alert.version)
    assert transition_kinds(alert)[-1] == "acknowledged"


def test_a_comment_or_a_reminder_does_not_outdate_a_version(fleet, rule, terminal):
    alert, person = open_alert(rule, terminal), fleet.person()

    lifecycle.comment(queryset_of(alert), by=person, comment="called them", at=later(4))

    take(alert, person, version=alert.version)

    assert transition_kinds(alert)[-1] == "acknowledged"


# Acknowledged until it gets worse


@pytest.mark.parametrize(
    ("contract", "other", "ends"),
    [
        (Contract.WORSE, "warning", True),
        (Contract.WORSE, "critical", True),
        (Contract.WORSE, "info", False),
        (Contract.RECOVERY, "critical", False),
        (Contract.TIME, "critical", False),
    ],
)
def test_another_alert_of_the_terminal_ends_an_acknowledgement_until_it_gets_worse(
    fleet, rule, terminal, contract, other, ends
):
    alert = open_alert(rule, terminal)
    take(alert, fleet.person(), contract=contract, until=later(600))
    another = fleet.metric_rule(name="Offline", severity=other)

    lifecycle.apply_events([triggered(another, terminal, 30)])

    assert acknowledgement_of(alert)[0] == ("open" if ends else "acknowledged")
    if ends:
        step = alert.transitions.last()
        assert (step.kind, step.at, step.comment) == ("undone", later(30), "Offline")


def test_an_alert_of_another_terminal_ends_nothing(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    take(alert, fleet.person(), contract=Contract.WORSE)

    lifecycle.apply_events([triggered(rule, fleet.online(), 30)])

    assert acknowledgement_of(alert)[0] == "acknowledged"


# Races


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("_", range(3))
def test_whatever_people_and_the_clock_do_during_a_recovery_it_ends_resolved(fleet, rule, terminal, _):
    alert, person = open_alert(rule, terminal), fleet.person()
    take(alert, person, contract=Contract.TIME, until=later(10))

    def recover() -> None:
        with transaction.atomic():
            lifecycle.apply_events([cleared(rule, terminal, 20)])

    acts = [
        recover,
        lambda: lifecycle.expire(later(11)),
        lambda: lifecycle.reopen(queryset_of(alert), by=person, comment="", at=later(12)),
        lambda: lifecycle.change_acknowledgement(
            queryset_of(alert), contract=Contract.WORSE, until=None, by=person, comment="", at=later(13)
        ),
        lambda: lifecycle.snooze(queryset_of(alert), until=later(99), by=person, comment="", at=later(14)),
        lambda: lifecycle.comment(queryset_of(alert), by=person, comment="I call them", at=later(15)),
        lambda: lifecycle.acknowledge(queryset_of(alert), by=person, comment="", at=later(16)),
    ]

    results = run_concurrently(len(acts), lambda n: acts[n]())

    alert.refresh_from_db()
    assert [each for each in results if isinstance(each, Exception)] == []
    assert (alert.state, alert.contract, alert.until) == ("resolved", "", None)
    assert transition_kinds(alert)[-1] == "resolved"
    assert alert.transitions.filter(kind="resolved").count() == 1


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_a_reopening_and_an_expiry_one_takes_effect(fleet, rule, terminal):
    alert, person = open_alert(rule, terminal), fleet.person()
    take(alert, person, contract=Contract.TIME, until=later(10))

    results = run_concurrently(
        8,
        lambda n: (
            lifecycle.expire(later(11))
            if n % 2
            else lifecycle.reopen(queryset_of(alert), by=person, comment="", at=later(12))
        ),
    )

    assert sum(results) == 1
    assert len(transition_kinds(alert)) == 3
