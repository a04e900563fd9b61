"""The life of an alert: open, acknowledged, resolved."""

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.at_once import at_once
from tests.builders import AT, later
from tms.alerts import lifecycle
from tms.alerts.lifecycle import AlreadyResolved, Claim, Release, Verdict
from tms.alerts.models import Alert, AlertState, Condition, Rule, Transition
from tms.fleet import standings
from tms.fleet.models import Presence, Terminal
from tms.live.change import Change

pytestmark = pytest.mark.both


@pytest.fixture
def terminal(fleet) -> Terminal:
    return fleet.online()


@pytest.fixture
def rule(fleet) -> Rule:
    return fleet.metric_rule()


def claim(rule: Rule, terminal: Terminal, seconds: float = 0, **fields) -> Claim:
    return Claim(rule.pk, terminal.pk, later(seconds), **fields)


def release(rule: Rule, terminal: Terminal, seconds: float = 0) -> Release:
    return Release(rule.pk, terminal.pk, later(seconds))


def opened(rule: Rule, terminal: Terminal) -> Alert:
    lifecycle.settle([claim(rule, terminal)])
    return Alert.objects.unresolved().get(rule=rule, terminal=terminal)


def history(alert: Alert) -> list[str]:
    return list(alert.transitions.values_list("kind", flat=True))


# Opening and resolving


def test_a_claim_opens_an_alert_with_the_rules_severity(fleet, terminal):
    rule = fleet.metric_rule(severity="critical")

    lifecycle.settle([claim(rule, terminal, 3, value=80.5)])

    alert = Alert.objects.get()
    assert (alert.state, alert.severity, alert.value, alert.opened_at) == ("open", "critical", 80.5, later(3))
    assert history(alert) == ["opened"]


def test_a_claim_of_what_holds_already_changes_nothing(rule, terminal):
    alert = opened(rule, terminal)

    lifecycle.settle([claim(rule, terminal, 5)])

    assert history(alert) == ["opened"]
    assert Alert.objects.get().opened_at == AT


def test_a_release_resolves_and_what_comes_after_is_another_alert(rule, terminal):
    first = opened(rule, terminal)

    lifecycle.settle([release(rule, terminal, 5)])
    second = opened(rule, terminal)

    first.refresh_from_db()
    assert (first.state, first.resolved_at) == ("resolved", later(5))
    assert first.pk != second.pk


def test_a_release_of_what_does_not_hold_changes_nothing(rule, terminal):
    lifecycle.settle([release(rule, terminal)])

    assert not Transition.objects.exists()


def test_the_database_itself_refuses_a_second_unresolved_alert_of_a_rule_and_terminal(rule, terminal):
    alert = opened(rule, terminal)

    for state in (AlertState.OPEN, AlertState.ACKNOWLEDGED):
        with pytest.raises(IntegrityError, match=r"alert_one_unresolved|UNIQUE"), transaction.atomic():
            Alert.objects.create(rule=rule, terminal=terminal, severity="info", state=state, opened_at=AT)
    Alert.objects.create(rule=rule, terminal=terminal, severity="info", state=AlertState.RESOLVED, opened_at=AT)

    assert Alert.objects.unresolved().get() == alert


def test_a_claim_by_a_rule_that_was_switched_off_is_not_heeded(fleet, terminal):
    rule = fleet.metric_rule(enabled=False)

    lifecycle.settle([claim(rule, terminal), claim(rule, fleet.terminal(), duration_s=60)])

    assert not Alert.objects.exists()
    assert not Condition.objects.exists()


# The last word


ORDERS = [
    # holds before, verdicts, holds after, what happened in between
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


def said(order: str, rule: Rule, terminal: Terminal) -> list[Verdict]:
    makers = {"+": claim, "-": release}
    return [makers[sign](rule, terminal, n) for n, sign in enumerate(order, start=1)]


@pytest.mark.parametrize(("before", "order", "after", "happened"), ORDERS)
def test_the_last_verdict_of_a_batch_counts(rule, terminal, before, order, after, happened):
    if before:
        opened(rule, terminal)
        Transition.objects.all().delete()

    lifecycle.settle(said(order, rule, terminal))

    assert Alert.objects.unresolved().exists() == Condition.objects.exists() == after
    assert list(Transition.objects.order_by("pk").values_list("kind", flat=True)) == happened


def test_pairs_do_not_mix(fleet, rule, terminal):
    other_rule, other_terminal = fleet.metric_rule(), fleet.online()

    lifecycle.settle(
        [claim(rule, terminal), claim(other_rule, other_terminal), claim(rule, other_terminal), release(rule, terminal)]
    )

    unresolved = set(Alert.objects.unresolved().values_list("rule", "terminal"))
    assert unresolved == {(other_rule.pk, other_terminal.pk), (rule.pk, other_terminal.pk)}


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("+-")), max_size=6), max_size=5))
def test_whatever_is_said_the_last_word_holds_and_history_alternates(fleet, batches):
    rule = fleet.metric_rule()
    terminals = {"a": fleet.online(), "b": fleet.online()}
    last: dict[str, str] = {}
    seconds = 0

    for batch in batches:
        verdicts = []
        for who, sign in batch:
            seconds += 1
            verdicts += said(sign, rule, terminals[who])
            last[who] = sign
        lifecycle.settle(verdicts)

    for who, terminal in terminals.items():
        unresolved = Alert.objects.unresolved().filter(rule=rule, terminal=terminal).count()
        assert unresolved == (last.get(who) == "+")
        steps = Transition.objects.filter(alert__rule=rule, alert__terminal=terminal).order_by("pk")
        kinds = list(steps.values_list("kind", flat=True))
        assert kinds == (["opened", "resolved"] * len(kinds))[: len(kinds)]


# Duration


def test_an_alert_opens_when_its_condition_has_held_for_its_duration(rule, terminal, wall):
    lifecycle.settle([claim(rule, terminal, duration_s=60, value=80.0)])

    wall.advance(seconds=59.5)
    before = Alert.objects.count()
    wall.advance(seconds=1)

    assert before == 0
    assert (Alert.objects.get().value, Alert.objects.get().opened_at) == (80.0, later(60))


def test_a_condition_that_ceased_before_its_duration_opens_nothing(rule, terminal, wall):
    lifecycle.settle([claim(rule, terminal, duration_s=60)])
    lifecycle.settle([release(rule, terminal, 30)])

    wall.advance(seconds=120, step_s=10)

    assert not Alert.objects.exists()


def test_a_condition_that_goes_on_keeps_its_first_time(rule, terminal, wall):
    lifecycle.settle([claim(rule, terminal, duration_s=60)])
    lifecycle.settle([claim(rule, terminal, 50, duration_s=60)])

    assert lifecycle.open_due(later(60)) == 1


def test_a_due_condition_opens_once(rule, terminal):
    lifecycle.settle([claim(rule, terminal, duration_s=1)])

    passes = [lifecycle.open_due(later(seconds)) for seconds in (0.5, 1, 2)]

    assert passes == [0, 1, 0]
    assert Alert.objects.count() == 1


def test_a_condition_left_by_a_rule_that_was_switched_off_does_not_stop_the_others(fleet, rule, terminal):
    other = fleet.metric_rule()
    lifecycle.settle([claim(rule, terminal, duration_s=1), claim(other, terminal, duration_s=1)])
    Rule.objects.filter(pk=rule.pk).update(enabled=False)

    lifecycle.open_due(later(2))

    assert Alert.objects.get().rule == other


# Events lapse


def test_an_event_that_does_not_come_again_lapses(fleet, terminal, wall):
    rule = fleet.event_rule(clear_after_s=100)
    lifecycle.settle([claim(rule, terminal, clear_after_s=100)])

    wall.advance(seconds=99, step_s=33)
    held = Alert.objects.unresolved().count()
    wall.advance(seconds=1)

    assert held == 1
    assert history(Alert.objects.get()) == ["opened", "resolved"]


def test_an_event_that_comes_again_lapses_later(fleet, terminal, wall):
    rule = fleet.event_rule(clear_after_s=100)
    lifecycle.settle([claim(rule, terminal, clear_after_s=100)])
    lifecycle.settle([claim(rule, terminal, 60, clear_after_s=100)])

    wall.advance(seconds=150, step_s=50)
    held = Alert.objects.unresolved().count()
    wall.advance(seconds=10)

    assert (held, Alert.objects.unresolved().count()) == (1, 0)


def test_an_event_rule_without_a_limit_of_time_never_lapses(fleet, terminal):
    rule = fleet.event_rule()
    lifecycle.settle([claim(rule, terminal)])

    assert lifecycle.lapse(later(10_000_000)) == 0


# Acknowledging


def test_an_acknowledgement_says_who_and_is_a_step_in_the_history(fleet, rule, terminal):
    alert = opened(rule, terminal)

    taken = lifecycle.acknowledge(alert, by=fleet.person("aiko"), comment="on it", at=later(5))

    assert taken.first
    assert (taken.alert.state, taken.alert.acknowledged_by.username) == ("acknowledged", "aiko")
    assert (taken.alert.acknowledged_at, taken.alert.comment) == (later(5), "on it")
    step = alert.transitions.last()
    assert (step.kind, step.by.username, step.comment, step.at) == ("acknowledged", "aiko", "on it", later(5))


def test_a_second_acknowledgement_tells_who_was_first_and_changes_nothing(fleet, rule, terminal):
    alert = opened(rule, terminal)
    lifecycle.acknowledge(alert, by=fleet.person("aiko"), comment="mine", at=later(5))

    taken = lifecycle.acknowledge(alert, by=fleet.person("ren"), comment="mine too", at=later(6))

    assert not taken.first
    assert (taken.alert.acknowledged_by.username, taken.alert.comment) == ("aiko", "mine")
    assert history(alert) == ["opened", "acknowledged"]


def test_a_recovery_wins_over_a_late_acknowledgement(fleet, rule, terminal):
    alert = opened(rule, terminal)
    lifecycle.settle([release(rule, terminal, 5)])

    with pytest.raises(AlreadyResolved, match=f"alert {alert.pk} was resolved at") as refused:
        lifecycle.acknowledge(alert, by=fleet.person(), comment="", at=later(6))

    assert refused.value.code == "tms:already-resolved"
    assert history(alert) == ["opened", "resolved"]
    assert Alert.objects.get().acknowledged_by is None


def test_a_recovery_wins_over_an_earlier_acknowledgement(fleet, rule, terminal):
    alert = opened(rule, terminal)
    lifecycle.acknowledge(alert, by=fleet.person(), comment="", at=later(5))

    lifecycle.settle([release(rule, terminal, 6)])

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

    lifecycle.acknowledge(alert, by=fleet.person(), comment="", at=later(acknowledged_s))
    lifecycle.settle([release(rule, terminal, recovered_s)])

    alert.refresh_from_db()
    assert history(alert) == ["opened", "acknowledged", "resolved"]
    assert list(alert.transitions.values_list("at", flat=True)) == [later(seconds) for seconds in seen]
    assert (alert.acknowledged_at, alert.resolved_at) == (later(seen[1]), later(seen[2]))


def test_an_acknowledged_alert_is_still_the_one_alert(fleet, rule, terminal):
    alert = opened(rule, terminal)
    lifecycle.acknowledge(alert, by=fleet.person(), comment="", at=later(5))

    lifecycle.settle([claim(rule, terminal, 6)])

    assert Alert.objects.get() == alert


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_of_fifty_who_acknowledge_at_once_exactly_one_is_first(fleet, rule, terminal):
    alert = opened(rule, terminal)
    people = [fleet.person(f"person-{n}") for n in range(50)]

    taken = at_once(
        50,
        lambda n: lifecycle.acknowledge(Alert.objects.get(pk=alert.pk), by=people[n], comment=f"by {n}", at=later(n)),
    )

    first = [each.alert.acknowledged_by_id for each in taken if each.first]
    assert len(first) == 1
    assert {each.alert.acknowledged_by_id for each in taken} == set(first)
    assert history(alert) == ["opened", "acknowledged"]


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_acknowledgements_that_race_with_the_recovery_end_resolved(fleet, rule, terminal):
    alert, person = opened(rule, terminal), fleet.person()

    def act(n: int) -> object:
        if n == 0:
            with transaction.atomic():
                return lifecycle.settle([release(rule, terminal, 5)])
        return lifecycle.acknowledge(Alert.objects.get(pk=alert.pk), by=person, comment="", at=later(n))

    results = at_once(9, act)

    assert all(not isinstance(each, Exception) or isinstance(each, AlreadyResolved) for each in results)
    assert history(alert)[-1] == "resolved"
    assert history(alert) in (["opened", "resolved"], ["opened", "acknowledged", "resolved"])


# Rules that are edited


def test_an_edited_rule_lets_go_of_what_it_held(rule, terminal):
    alert = opened(rule, terminal)

    lifecycle.change_rule(rule, at=later(5))

    alert.refresh_from_db()
    assert (alert.state, alert.resolved_at) == ("resolved", later(5))
    assert alert.transitions.last().comment == "rule changed"
    assert not Condition.objects.exists()


def test_two_people_who_edit_a_rule_at_once_make_two_revisions(fleet, rule):
    """Every node reads a rule again when its revision is new to it."""
    mine, theirs = Rule.objects.get(pk=rule.pk), Rule.objects.get(pk=rule.pk)

    lifecycle.change_rule(mine, at=later(1))
    lifecycle.change_rule(theirs, at=later(2))

    assert (mine.revision, theirs.revision) == (2, 3)
    assert Rule.objects.get(pk=rule.pk).revision == 3


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_edits_that_race_with_reports_neither_deadlock_nor_leave_two_alerts(fleet, rule):
    terminals = fleet.terminals(10)

    def act(n: int) -> None:
        if n % 3 == 0:
            lifecycle.change_rule(Rule.objects.get(pk=rule.pk), at=later(n))
            return
        with transaction.atomic():
            standings.lock([terminal.pk for terminal in terminals])
            lifecycle.settle([claim(rule, terminal, n) for terminal in terminals])

    results = at_once(9, act)

    assert results == [None] * 9
    assert Rule.objects.get(pk=rule.pk).revision == 4
    unresolved = Alert.objects.unresolved()
    assert unresolved.count() == unresolved.values("terminal").distinct().count()


def test_a_rule_that_was_switched_off_lets_go_of_those_who_are_away(fleet):
    terminal = fleet.standing(Presence.OFFLINE)
    rule = fleet.presence_rule()
    opened_alert = Alert.objects.unresolved().get(terminal=terminal)

    rule.enabled = False
    lifecycle.change_rule(rule, at=later(5))

    opened_alert.refresh_from_db()
    assert opened_alert.state == "resolved"


# A whole site at once


@pytest.mark.django_db(transaction=True)
def test_a_storm_is_opened_and_resolved_with_a_handful_of_queries_and_one_message(
    fleet, rule, ear, django_assert_max_num_queries
):
    terminals = fleet.terminals(5_000)
    ear.changes()

    with django_assert_max_num_queries(80), transaction.atomic():
        lifecycle.settle([claim(rule, terminal) for terminal in terminals])
    storm = ear.change()
    with django_assert_max_num_queries(80), transaction.atomic():
        lifecycle.settle([release(rule, terminal, 5) for terminal in terminals])

    assert Alert.objects.filter(state="resolved").count() == 5_000
    assert storm == Change(everything=True)
