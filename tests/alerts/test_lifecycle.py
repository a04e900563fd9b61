"""Alerts open and resolve as rules trigger and clear; the last event counts."""

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.alerts.events import cleared, open_alert, transition_kinds, triggered
from tests.support.builders import AT, later
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleEvent
from tms.alerts.models import Alert, AlertState, Condition, Rule, Transition
from tms.feed.change import Change
from tms.fleet.models import Terminal

pytestmark = pytest.mark.both


def test_a_trigger_opens_an_alert_with_the_severity_of_the_rule(fleet, terminal):
    rule = fleet.metric_rule(severity="critical")

    lifecycle.apply_events([triggered(rule, terminal, 3, value=80.5)])

    alert = Alert.objects.get()
    assert (alert.state, alert.severity, alert.value, alert.opened_at) == ("open", "critical", 80.5, later(3))
    assert transition_kinds(alert) == ["opened"]


def test_a_trigger_of_an_active_rule_changes_nothing(rule, terminal):
    alert = open_alert(rule, terminal)

    lifecycle.apply_events([triggered(rule, terminal, 5)])

    assert transition_kinds(alert) == ["opened"]
    assert Alert.objects.get().opened_at == AT


def test_a_clear_resolves_and_the_next_trigger_opens_another_alert(rule, terminal):
    first = open_alert(rule, terminal)

    lifecycle.apply_events([cleared(rule, terminal, 5)])
    second = open_alert(rule, terminal)

    first.refresh_from_db()
    assert (first.state, first.resolved_at) == ("resolved", later(5))
    assert first.pk != second.pk


def test_a_clear_of_an_inactive_rule_changes_nothing(rule, terminal):
    lifecycle.apply_events([cleared(rule, terminal)])

    assert not Transition.objects.exists()


def test_the_database_rejects_a_second_unresolved_alert_of_a_rule_and_terminal(rule, terminal):
    alert = open_alert(rule, terminal)

    for fields in ({"state": AlertState.OPEN}, {"state": AlertState.ACKNOWLEDGED, "acknowledged_at": AT}):
        with pytest.raises(IntegrityError, match=r"alert_one_unresolved|UNIQUE"), transaction.atomic():
            Alert.objects.create(rule=rule, terminal=terminal, opened_at=AT, **fields)
    Alert.objects.create(rule=rule, terminal=terminal, severity="info", state=AlertState.RESOLVED, opened_at=AT)

    assert Alert.objects.unresolved().get() == alert


def test_triggers_of_a_disabled_rule_are_ignored(fleet, terminal):
    rule = fleet.metric_rule(enabled=False)

    lifecycle.apply_events([triggered(rule, terminal), triggered(rule, fleet.terminal(), duration_s=60)])

    assert not Alert.objects.exists()
    assert not Condition.objects.exists()


ORDERS = [
    # active before, events, active after, transitions in between
    (False, "+", True, ["opened"]),
    (False, "-", False, []),
    (False, "+-", False, ["opened", "resolved"]),
    (False, "-+", True, ["opened"]),
    (False, "+-+", True, ["opened"]),
    (False, "-+-", False, ["opened", "resolved"]),
    (True, "+", True, []),
    (True, "-", False, ["resolved"]),
    (True, "-+", True, ["resolved", "opened"]),
    (True, "+-", False, ["resolved"]),
    (True, "-+-", False, ["resolved"]),
    (True, "+-+", True, ["resolved", "opened"]),
]


def events_of(order: str, rule: Rule, terminal: Terminal) -> list[RuleEvent]:
    makers = {"+": triggered, "-": cleared}
    return [makers[sign](rule, terminal, n) for n, sign in enumerate(order, start=1)]


@pytest.mark.parametrize(("before", "order", "after", "happened"), ORDERS)
def test_the_last_event_of_a_batch_counts(rule, terminal, before, order, after, happened):
    if before:
        open_alert(rule, terminal)
        Transition.objects.all().delete()

    lifecycle.apply_events(events_of(order, rule, terminal))

    assert Alert.objects.unresolved().exists() == Condition.objects.exists() == after
    assert list(Transition.objects.order_by("pk").values_list("kind", flat=True)) == happened


def test_pairs_of_rule_and_terminal_are_independent(fleet, rule, terminal):
    other_rule, other_terminal = fleet.metric_rule(), fleet.online()

    lifecycle.apply_events(
        [
            triggered(rule, terminal),
            triggered(other_rule, other_terminal),
            triggered(rule, other_terminal),
            cleared(rule, terminal),
        ]
    )

    unresolved = set(Alert.objects.unresolved().values_list("rule", "terminal"))
    assert unresolved == {(other_rule.pk, other_terminal.pk), (rule.pk, other_terminal.pk)}


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("+-")), max_size=6), max_size=5))
def test_for_any_events_the_last_one_counts_and_history_alternates(fleet, batches):
    rule = fleet.metric_rule(watches_flapping=False)
    terminals = {"a": fleet.online(), "b": fleet.online()}
    last: dict[str, str] = {}
    seconds = 0

    for batch in batches:
        rule_events = []
        for who, sign in batch:
            seconds += 1
            rule_events += events_of(sign, rule, terminals[who])
            last[who] = sign
        lifecycle.apply_events(rule_events)

    for who, terminal in terminals.items():
        unresolved = Alert.objects.unresolved().filter(rule=rule, terminal=terminal).count()
        assert unresolved == (last.get(who) == "+")
        steps = Transition.objects.filter(alert__rule=rule, alert__terminal=terminal).order_by("pk")
        kinds = list(steps.values_list("kind", flat=True))
        assert kinds == (["opened", "resolved"] * len(kinds))[: len(kinds)]


@pytest.mark.django_db(transaction=True)
def test_a_storm_opens_and_resolves_with_a_few_queries_and_one_message(
    fleet, rule, feed_recorder, django_assert_max_num_queries
):
    terminals = fleet.terminals(5_000)
    feed_recorder.changes()

    with django_assert_max_num_queries(80), transaction.atomic():
        lifecycle.apply_events([triggered(rule, terminal) for terminal in terminals])
    storm = feed_recorder.change()
    with django_assert_max_num_queries(80), transaction.atomic():
        lifecycle.apply_events([cleared(rule, terminal, 5) for terminal in terminals])

    assert Alert.objects.filter(state="resolved").count() == 5_000
    assert storm == Change(everything=True)


@pytest.mark.parametrize(
    "fields",
    [
        {"state": AlertState.OPEN, "acknowledged_at": AT},
        {"state": AlertState.SNOOZED, "acknowledged_at": AT},
        {"state": AlertState.ACKNOWLEDGED},
    ],
)
def test_the_database_rejects_an_incomplete_acknowledgement(rule, terminal, fields):
    with pytest.raises(IntegrityError, match="alert_held_since"), transaction.atomic():
        Alert.objects.create(rule=rule, terminal=terminal, severity="info", opened_at=AT, **fields)
