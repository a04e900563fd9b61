"""A new rule evaluates the present state; an edited one resolves its alerts and evaluates again."""

import pytest
from django.db import transaction

from tests.support.alerts.events import open_alert, triggered
from tests.support.builders import AT, Fleet, later
from tests.support.threads import run_concurrently
from tms.alerts import lifecycle
from tms.alerts.models import Alert, AlertState, Condition, Rule
from tms.alerts.rule_editing import services
from tms.fleet.models import Presence
from tms.fleet.presence import store

pytestmark = pytest.mark.both


def test_a_new_presence_rule_matches_terminals_that_are_already_offline(fleet: Fleet):
    terminal = fleet.with_presence(Presence.OFFLINE, at=later(-10_000))

    rule = fleet.presence_rule(duration_s=300)

    assert Alert.objects.get().terminal == terminal
    assert Alert.objects.get().rule == rule


def test_a_new_presence_rule_counts_the_time_that_has_already_passed(fleet: Fleet):
    fleet.with_presence(Presence.OFFLINE, at=later(-200))

    fleet.presence_rule(duration_s=300)
    opened = [lifecycle.open_pending(later(99)), lifecycle.open_pending(later(100))]

    assert opened == [0, 1]


def test_an_edited_presence_rule_resolves_its_alerts_and_opens_new_ones(fleet: Fleet):
    fleet.with_presence(Presence.SILENT, at=later(-10))
    rule = fleet.presence_rule(Presence.SILENT)

    services.change_rule(rule, at=later(60))

    states = Alert.objects.order_by("opened_at").values_list("state", "opened_at")
    assert list(states) == [(AlertState.RESOLVED, AT), (AlertState.OPEN, later(60))]


def test_a_new_presence_rule_ignores_other_sites_and_kinds(fleet: Fleet):
    fleet.with_presence(Presence.OFFLINE, kind="kiosk")

    fleet.presence_rule(site=fleet.site("OSK"))
    fleet.presence_rule(terminal_kind="gate")

    assert not Alert.objects.exists()


def test_a_disabled_presence_rule_matches_nothing(fleet: Fleet):
    fleet.with_presence(Presence.OFFLINE)
    rule = fleet.presence_rule()
    rule.enabled = False

    services.change_rule(rule, at=later(60))

    assert not Alert.objects.unresolved().exists()


def test_an_edited_rule_clears_its_terminals(rule, terminal):
    alert = open_alert(rule, terminal)

    services.change_rule(rule, at=later(5))

    alert.refresh_from_db()
    assert (alert.state, alert.resolved_at) == ("resolved", later(5))
    assert alert.transitions.last().comment == "rule changed"
    assert not Condition.objects.exists()


def test_two_people_who_edit_a_rule_at_once_make_two_revisions(fleet, rule):
    """Every node reads a rule again when it gets a new revision."""
    mine, theirs = Rule.objects.get(pk=rule.pk), Rule.objects.get(pk=rule.pk)

    services.change_rule(mine, at=later(1))
    services.change_rule(theirs, at=later(2))

    assert (mine.revision, theirs.revision) == (2, 3)
    assert Rule.objects.get(pk=rule.pk).revision == 3


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_edits_that_race_with_reports_neither_deadlock_nor_leave_two_alerts(fleet, rule):
    terminals = fleet.terminals(10)

    def act(n: int) -> None:
        if n % 3 == 0:
            services.change_rule(Rule.objects.get(pk=rule.pk), at=later(n))
            return
        with transaction.atomic():
            store.lock([terminal.pk for terminal in terminals])
            lifecycle.apply_events([triggered(rule, terminal, n) for terminal in terminals])

    results = run_concurrently(9, act)

    assert results == [None] * 9
    assert Rule.objects.get(pk=rule.pk).revision == 4
    unresolved = Alert.objects.unresolved()
    assert unresolved.count() == unresolved.values("terminal").distinct().count()


def test_a_disabled_rule_clears_for_offline_terminals(fleet):
    terminal = fleet.with_presence(Presence.OFFLINE)
    rule = fleet.presence_rule()
    opened_alert = Alert.objects.unresolved().get(terminal=terminal)

    rule.enabled = False
    services.change_rule(rule, at=later(5))

    opened_alert.refresh_from_db()
    assert opened_alert.state == "resolved"
