"""Alerts worsen and improve; a worsened alert is unacknowledged again."""

import pytest
from django.db import transaction

from tests.support.alerts.events import acknowledge, cleared, open_alert, queryset_of, transition_kinds, triggered
from tests.support.builders import later
from tests.support.threads import run_concurrently
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Contract
from tms.fleet.presence import store

pytestmark = pytest.mark.both


def test_an_alert_opens_with_the_severity_of_its_trigger(rule, terminal):
    lifecycle.apply_events([triggered(rule, terminal, severity="info")])

    assert Alert.objects.get().severity == "info"
    assert Alert.objects.get().transitions.get().severity == "info"


def test_a_pending_condition_opens_with_its_severity_at_that_time(rule, terminal):
    lifecycle.apply_events([triggered(rule, terminal, severity="warning", duration_s=60)])
    lifecycle.apply_events([triggered(rule, terminal, 30, severity="critical", duration_s=60)])

    lifecycle.open_pending(later(60))

    assert Alert.objects.get().severity == "critical"
    assert transition_kinds(Alert.objects.get()) == ["opened"]


@pytest.mark.parametrize(
    ("before", "now", "kind"),
    [("warning", "critical", "worsened"), ("critical", "warning", "eased"), ("info", "critical", "worsened")],
)
def test_another_severity_is_a_transition(rule, terminal, before, now, kind):
    lifecycle.apply_events([triggered(rule, terminal, severity=before, value=61.0)])

    lifecycle.apply_events([triggered(rule, terminal, 9, severity=now, value=76.0)])

    alert = Alert.objects.get()
    step = alert.transitions.last()
    assert (alert.severity, alert.value, alert.opened_at) == (now, 76.0, later(0))
    assert (step.kind, step.before, step.severity, step.at) == (kind, before, now, later(9))


@pytest.mark.parametrize("severity", ["", "warning"])
def test_a_trigger_without_changes_changes_nothing(rule, terminal, severity):
    alert = open_alert(rule, terminal)

    lifecycle.apply_events([triggered(rule, terminal, 9, severity=severity)])

    assert transition_kinds(alert) == ["opened"]


@pytest.mark.parametrize("contract", Contract)
def test_worsening_ends_the_acknowledgement_under_every_contract_and_is_shown(fleet, rule, terminal, contract):
    alert = open_alert(rule, terminal)
    lifecycle.acknowledge(
        queryset_of(alert), by=fleet.person(), comment="", at=later(5), contract=contract, until=later(600)
    )

    lifecycle.apply_events([triggered(rule, terminal, 9, severity="critical")])

    alert.refresh_from_db()
    assert (alert.state, alert.acknowledged_by, alert.contract, alert.until) == ("open", None, "", None)
    assert transition_kinds(alert) == ["opened", "acknowledged", "worsened", "undone"]


def test_worsening_ends_a_snooze(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.snooze(queryset_of(alert), until=later(600), by=fleet.person(), comment="", at=later(5))

    lifecycle.apply_events([triggered(rule, terminal, 9, severity="critical")])

    assert transition_kinds(alert) == ["opened", "snoozed", "worsened", "undone"]


def test_an_improved_alert_stays_acknowledged(fleet, terminal):
    rule = fleet.metric_rule(severity="critical")
    alert = open_alert(rule, terminal)
    lifecycle.acknowledge(queryset_of(alert), by=fleet.person(), comment="", at=later(5))

    lifecycle.apply_events([triggered(rule, terminal, 9, severity="warning")])

    alert.refresh_from_db()
    assert (alert.state, alert.severity) == ("acknowledged", "warning")


def test_history_keeps_its_order_when_the_report_came_before_the_acknowledgement(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.acknowledge(queryset_of(alert), by=fleet.person(), comment="", at=later(9))

    lifecycle.apply_events([triggered(rule, terminal, 7, severity="critical")])

    assert list(alert.transitions.values_list("at", flat=True)) == [later(0), later(9), later(9), later(9)]
    assert transition_kinds(alert) == ["opened", "acknowledged", "worsened", "undone"]


def test_a_thousand_worsened_alerts_cost_as_many_queries_as_one(fleet, rule, django_assert_max_num_queries):
    terminals = fleet.terminals(1_000)
    lifecycle.apply_events([triggered(rule, terminal, value=61.0) for terminal in terminals])
    lifecycle.acknowledge(Alert.objects.all(), by=fleet.person(), comment="", at=later(5))

    with django_assert_max_num_queries(40):
        lifecycle.apply_events(
            [triggered(rule, terminal, 9, severity="critical", value=76.0) for terminal in terminals]
        )

    assert Alert.objects.filter(severity="critical", state="open", value=76.0).count() == 1_000


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_an_acknowledgement_that_races_with_worsening_never_covers_an_unseen_severity(fleet, rule, terminal):
    alert, person = open_alert(rule, terminal), fleet.person()

    def act(n: int) -> object:
        if n == 0:
            with transaction.atomic():
                return lifecycle.apply_events([triggered(rule, terminal, 9, severity="critical")])
        return acknowledge(alert, person, seconds=n, version=alert.version)

    run_concurrently(6, act)

    alert.refresh_from_db()
    assert (alert.state, alert.severity) == ("open", "critical")


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_recovery_that_races_with_worsening_wins(fleet, rule, terminal):
    alert = open_alert(rule, terminal)

    def act(n: int) -> None:
        with transaction.atomic():
            store.lock([terminal.pk])
            lifecycle.apply_events(
                [triggered(rule, terminal, 9, severity="critical")] if n else [cleared(rule, terminal, 9)]
            )

    run_concurrently(2, act)

    alert.refresh_from_db()
    assert alert.state == "resolved"
