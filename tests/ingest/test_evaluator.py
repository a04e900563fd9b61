"""The effects of a link's reports, evaluated by the current rules."""

import pytest

from tests.support.builders import AT, Link, identity_of, later
from tms.alerts.lifecycle import RuleCleared, RuleTriggered
from tms.alerts.models import Alert
from tms.alerts.rule_editing import services
from tms.alerts.rules.cache import rule_cache
from tms.feed.change import Change
from tms.fleet.models import TerminalKind
from tms.ingest import commit
from tms.ingest.rule_evaluation import LinkEvaluator
from tms.protocol import frames


@pytest.fixture
def terminal(fleet):
    return fleet.terminal(kind=TerminalKind.GATE)


@pytest.fixture
def judge(terminal) -> LinkEvaluator:
    return LinkEvaluator(identity_of(terminal))


def report(seq: int = 1, *, events=(), **params) -> frames.ReportFrame:
    return frames.ReportFrame(seq, AT, events=tuple(frames.TerminalEvent(AT, code) for code in events), **params)


def learn() -> None:
    """A message of the feed that rules changed."""
    rule_cache().changed(Change(rules=True))
    rule_cache().get()


def test_a_metric_triggers_once_and_clears_once(fleet, terminal, judge):
    rule = fleet.metric_rule(limit=75, hysteresis=5, duration_s=60)
    learn()

    rule_events = [
        judge.report(report(metrics={"temperature_c": value}), at=later(n))
        for n, value in enumerate((70.0, 76.0, 80.0, 71.0, 69.0, 60.0))
    ]

    assert rule_events == [
        [],
        [RuleTriggered(rule.pk, terminal.pk, later(1), 60, value=76.0, severity="warning")],
        [],
        [],
        [RuleCleared(rule.pk, terminal.pk, later(4))],
        [],
    ]


@pytest.mark.parametrize("late", [{"late": True}, {"boot_id": "before"}])
def test_a_late_report_is_not_evaluated(fleet, judge, late):
    fleet.metric_rule(limit=75)
    fleet.event_rule("jam")
    learn()

    assert judge.report(report(metrics={"temperature_c": 99.0}, events=["jam"], **late), at=AT) == []


def test_a_repeated_event_triggers_again_and_clears_with_its_other_code(fleet, terminal, judge):
    rule = fleet.event_rule("jam", "jam_ok", clear_after_s=900)
    learn()

    rule_events = judge.report(report(events=["jam", "noise", "jam", "jam_ok", "jam_ok"]), at=AT)

    claim, release = RuleTriggered(rule.pk, terminal.pk, AT, 0, 900), RuleCleared(rule.pk, terminal.pk, AT)
    assert rule_events == [claim, claim, release, release]


def test_rules_of_other_scopes_are_not_evaluated(fleet, judge):
    fleet.metric_rule(limit=0, site=fleet.site("OSK"))
    fleet.metric_rule(limit=0, terminal_kind=TerminalKind.PAYMENT)
    here = fleet.metric_rule(limit=0, terminal_kind=TerminalKind.GATE)
    learn()

    rule_events = judge.report(report(metrics={"temperature_c": 1.0}), at=AT)

    assert [event.rule_id for event in rule_events] == [here.pk]


def test_an_evaluator_starts_with_the_state_in_the_database(fleet, terminal):
    rule = fleet.metric_rule(limit=75, hysteresis=5)
    learn()
    judge = LinkEvaluator(identity_of(terminal), {rule.pk: ""})

    within = judge.report(report(metrics={"temperature_c": 71.0}), at=AT)
    below = judge.report(report(metrics={"temperature_c": 69.0}), at=AT)

    assert (within, below) == ([], [RuleCleared(rule.pk, terminal.pk, AT)])


def test_an_edited_rule_is_evaluated_from_the_start(fleet, terminal, judge):
    rule = fleet.metric_rule(limit=75)
    learn()
    judge.report(report(metrics={"temperature_c": 80.0}), at=AT)

    services.change_rule(rule, at=AT)
    learn()
    rule_events = judge.report(report(metrics={"temperature_c": 80.0}), at=later(1))

    assert rule_events[-1] == RuleTriggered(rule.pk, terminal.pk, later(1), value=80.0, severity="warning")


@pytest.mark.both
@pytest.mark.parametrize("edit", [{"limit": 90}, {"enabled": False}])
def test_a_trigger_that_crosses_an_edit_of_its_rule_is_reverted(fleet, terminal, edit):
    """The report was evaluated before the edit and is committed after it, so the edit could not resolve its alert."""
    rule = fleet.metric_rule(limit=75)
    learn()
    link = Link(terminal)
    commit.write([link.boot()])
    crossing = link.report(1, metrics={"temperature_c": 80.0})
    for name, value in edit.items():
        setattr(rule, name, value)
    services.change_rule(rule, at=later(1))
    commit.write([crossing])

    learn()
    commit.write([link.report(2, metrics={"temperature_c": 80.0}, at=later(2))])

    assert not Alert.objects.unresolved().exists()


def test_a_new_rule_starts_with_the_state_in_the_database(fleet, terminal):
    """Another node opened the alert by a rule that this one had not read when the terminal connected."""
    rule = fleet.metric_rule(limit=75, hysteresis=5)
    judge = LinkEvaluator(identity_of(terminal), {rule.pk: ""})
    learn()

    rule_events = judge.report(report(metrics={"temperature_c": 80.0}), at=AT)

    assert rule_events == []


def test_internal_events_are_evaluated_by_event_rules(fleet, terminal, judge):
    rule = fleet.event_rule("tms.duplicate_credential")
    learn()

    assert judge.event("tms.duplicate_credential", at=AT) == [RuleTriggered(rule.pk, terminal.pk, AT)]


def hot(fleet, **fields):
    """Warning at 60, critical at 75."""
    return fleet.metric_rule(
        limit=60, severity="warning", higher_thresholds=[{"severity": "critical", "limit": 75}], hysteresis=3, **fields
    )


def severities(judge: LinkEvaluator, readings: list[tuple[float, float]]) -> list[str]:
    """The trigger at each reading: a severity, `over`, or nothing."""
    result = []
    for at, value in readings:
        rule_events = judge.report(report(metrics={"temperature_c": value}), at=later(at))
        result.append(" ".join(each.severity if isinstance(each, RuleTriggered) else "over" for each in rule_events))
    return result


def test_a_rule_triggers_again_when_it_worsens_and_improves(fleet, judge):
    hot(fleet)
    learn()

    result = severities(judge, [(0, 61), (1, 62), (2, 76), (3, 73), (4, 71), (5, 58), (6, 56)])

    assert result == ["warning", "", "critical", "", "warning", "", "over"]


def test_it_worsens_only_after_the_duration_of_the_rule(fleet, judge):
    hot(fleet, duration_s=60)
    learn()

    result = severities(judge, [(0, 61), (10, 80), (20, 61), (30, 80), (80, 80), (90, 80), (91, 61)])

    assert result == ["warning", "", "", "", "", "critical", "warning"]


def test_a_severe_value_at_the_start_triggers_with_its_severity(fleet, judge):
    hot(fleet, duration_s=60)
    learn()

    assert severities(judge, [(0, 80), (5, 65)]) == ["critical", "warning"]


def test_an_evaluator_continues_with_the_threshold_in_the_database(fleet, terminal):
    rule = hot(fleet)
    learn()
    judge = LinkEvaluator(identity_of(terminal), {rule.pk: "critical"})

    assert severities(judge, [(0, 73), (1, 71)]) == ["", "warning"]


def test_a_missing_metric_triggers_at_a_report_or_at_a_heartbeat(fleet, terminal, judge):
    rule = fleet.metric_rule("paper_pct", "absent", limit=600, severity="warning")
    learn()
    judge.report(report(metrics={"paper_pct": 50.0}), at=later(0))

    rule_events = [
        judge.report(report(metrics={"temperature_c": 20.0}), at=later(599)),
        judge.heartbeat(at=later(600)),
        judge.heartbeat(at=later(610)),
        judge.report(report(metrics={"paper_pct": 50.0}), at=later(620)),
    ]

    missing = RuleTriggered(rule.pk, terminal.pk, later(600), value=600.0, severity="warning")
    assert rule_events == [[], [missing], [], [RuleCleared(rule.pk, terminal.pk, later(620))]]


def test_a_wrong_clock_is_detected_from_live_reports_only(fleet, terminal, judge):
    rule = fleet.clock_rule(limit=60, duration_s=120)
    learn()

    late = judge.report(report(late=True), at=later(100))
    live = judge.report(report(), at=later(100))

    assert late == []
    assert live == [RuleTriggered(rule.pk, terminal.pk, later(100), 120, value=100.0, severity="warning")]


def test_a_rule_that_no_longer_applies_clears(fleet, terminal, judge):
    group = fleet.group("Lobby", terminal)
    rule = fleet.metric_rule(limit=75, group=group)
    learn()
    judge.report(report(metrics={"temperature_c": 80.0}), at=AT)

    group.terminals.clear()
    learn()
    rule_events = judge.report(report(metrics={"temperature_c": 80.0}), at=later(1))

    assert rule_events == [RuleCleared(rule.pk, terminal.pk, later(1))]


def test_a_rule_that_stopped_applying_during_an_outage_clears_on_return(fleet, terminal):
    rule = fleet.metric_rule(limit=75, model="PX-300")
    learn()
    judge = LinkEvaluator(identity_of(terminal), {rule.pk: "warning"})

    assert judge.heartbeat(at=AT) == [RuleCleared(rule.pk, terminal.pk, AT)]


@pytest.mark.both
def test_a_rule_for_a_model_applies_from_the_boot_that_reports_the_model(fleet, terminal):
    fleet.metric_rule(limit=75, model="PX-300")
    learn()
    link = Link(terminal)

    boot = link.boot(model="PX-300")
    commit.write([boot])
    link.on_booted(boot.outcome)
    commit.write([link.report(1, metrics={"temperature_c": 80.0}, at=later(1))])

    assert Alert.objects.unresolved().get().terminal == terminal
