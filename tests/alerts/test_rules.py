"""The evaluation of rules, as tables."""

import pytest

from tests.support.builders import AT, later
from tms.alerts.models import Rule, RuleSource
from tms.alerts.rule_kinds.evaluation import (
    NO_THRESHOLD,
    EventRule,
    MetricRule,
    PresenceRule,
    RuleKey,
    Sample,
    Threshold,
    ThresholdRule,
)
from tms.alerts.rules.compiled import RuleSet, TerminalScope
from tms.fleet.models import Cause, Presence, TerminalKind

KEY = RuleKey(1, 1)


def level(**fields) -> ThresholdRule:
    fields = {
        "kind": RuleSource.METRIC,
        "metric": "temperature_c",
        "comparison": "above",
        "severity": "warning",
    } | fields
    rule = Rule(pk=1, **fields)
    return rule.kind_object.compile(rule)


def hot(comparison: str = "above", *, limit: float = 75, hysteresis: float = 5) -> ThresholdRule:
    return level(comparison=comparison, limit=limit, hysteresis=hysteresis)


def sample(value: float | None = None, *, at: float = 0, taken_at: float | None = None) -> Sample:
    metrics = {} if value is None else {"temperature_c": value}
    return Sample(metrics, later(at if taken_at is None else taken_at), later(at))


METRICS = [
    # comparison, value, while inactive, while active
    ("above", 74.9, False, True),
    ("above", 75.0, True, True),
    ("above", 75.1, True, True),
    ("above", 70.0, False, True),
    ("above", 69.9, False, False),
    ("above", -40.0, False, False),
    ("below", 75.1, False, True),
    ("below", 75.0, True, True),
    ("below", 74.9, True, True),
    ("below", 80.0, False, True),
    ("below", 80.1, False, False),
    ("below", 900.0, False, False),
]


@pytest.mark.parametrize(("comparison", "value", "fresh", "when_active"), METRICS)
def test_a_metric_rule_triggers_at_its_threshold_and_clears_past_its_hysteresis(comparison, value, fresh, when_active):
    rule = hot(comparison)

    reached = [rule.reached(value, active) for active in (NO_THRESHOLD, 0)]

    assert [index == 0 for index in reached] == [fresh, when_active]


@pytest.mark.parametrize("comparison", ["above", "below"])
def test_without_hysteresis_a_rule_clears_at_its_threshold(comparison):
    rule = hot(comparison, hysteresis=0)
    over = 1 if comparison == "above" else -1

    reached = [rule.reached(75.0 + over * by, 0) for by in (0.0, -0.1)]

    assert reached == [0, NO_THRESHOLD]


@pytest.mark.parametrize("metrics", [{}, {"paper_pct": 99.0}])
def test_a_report_without_the_metric_changes_nothing(metrics):
    assert hot().value(Sample(metrics, AT, AT), {}) is None


PRESENCES = [
    # the rule's presence, the presences that match
    (Presence.OFFLINE, {Presence.OFFLINE}),
    (Presence.SILENT, {Presence.SILENT, Presence.OFFLINE}),
]


@pytest.mark.parametrize(("watched", "holds"), PRESENCES)
def test_a_presence_rule_matches_its_presence_and_worse(watched, holds):
    rule = PresenceRule(KEY, watched, 0)

    assert {presence for presence in Presence if rule.matches(presence)} == holds


@pytest.mark.parametrize("watched", [Presence.SILENT, Presence.OFFLINE])
def test_a_loss_caused_by_tms_itself_does_not_count_until_the_terminal_is_offline(watched):
    rule = PresenceRule(KEY, watched, 0)

    assert not rule.matches(Presence.SILENT, Cause.NODE_STOPPED)
    assert rule.matches(Presence.OFFLINE, Cause.NODE_STOPPED)


EVENTS = [
    # clear code of the rule, reported code, event
    ("reader_ok", "reader_fault", True),
    ("reader_ok", "reader_ok", False),
    ("reader_ok", "paper_jam", None),
    ("", "reader_fault", True),
    ("", "reader_ok", None),
    ("", "", None),
]


@pytest.mark.parametrize(("clear_code", "code", "event"), EVENTS)
def test_an_event_rule_is_active_from_one_code_until_another(clear_code, code, event):
    rule = EventRule(KEY, "reader_fault", clear_code, 0, 0)

    assert rule.matches(code) is event


def row(pk: int, **fields) -> Rule:
    fields = {"kind": RuleSource.METRIC, "metric": "m", "comparison": "above", "limit": 1.0} | fields
    return Rule(pk=pk, name=f"rule {pk}", **fields)


SCOPES = [
    # site, kind, rules that apply
    (7, TerminalKind.KIOSK, [1, 2]),
    (7, TerminalKind.GATE, [1, 2, 3, 4]),
    (8, TerminalKind.GATE, [1, 3]),
    (8, TerminalKind.KIOSK, [1]),
]


@pytest.mark.parametrize(("site_id", "kind", "wanted"), SCOPES)
def test_a_rule_applies_at_its_site_and_to_its_kind_of_terminal(site_id, kind, wanted):
    gate = TerminalKind.GATE.value
    rules = RuleSet((row(1), row(2, site_id=7), row(3, terminal_kind=gate), row(4, site_id=7, terminal_kind=gate)))

    applicable = rules.for_terminal(TerminalScope(1, site_id, kind, ""))

    assert [rule.key.rule_id for rule in applicable.threshold_rules()] == wanted


def test_rules_are_sorted_by_kind_and_carry_their_revision():
    rules = RuleSet(
        (
            row(1, revision=3),
            row(2, kind=RuleSource.EVENT, event_code="jam", clear_code="ok", clear_after_s=5, duration_s=2),
            row(3, kind=RuleSource.PRESENCE, presence=Presence.SILENT, duration_s=60),
        )
    )

    applicable = rules.for_terminal(TerminalScope(1, 1, TerminalKind.KIOSK, ""))

    assert tuple(applicable.threshold_rules()) == (MetricRule(RuleKey(1, 3), (Threshold("warning", 1.0),), 0, 0, "m"),)
    assert applicable.event == (EventRule(RuleKey(2, 1), "jam", "ok", 5, 2),)
    assert applicable.presence == (PresenceRule(RuleKey(3, 1), Presence.SILENT, 60),)
    assert rules.revisions == {1: 3, 2: 1, 3: 1}


def applied_rules(rules: RuleSet, *where: TerminalScope) -> list[list[int]]:
    return [[rule.key.rule_id for rule in rules.for_terminal(scope).threshold_rules()] for scope in where]


def test_a_rule_applies_to_its_model_and_group():
    rules = RuleSet(
        (row(1, model="PX-300"), row(2, group_id=5), row(3, group_id=5, model="PX-300")), {5: frozenset({8})}
    )

    applicable = applied_rules(
        rules,
        TerminalScope(7, 1, "kiosk", "PX-300"),
        TerminalScope(8, 1, "kiosk", "PX-300"),
        TerminalScope(8, 1, "kiosk", "PX-400"),
        TerminalScope(9, 1, "", ""),
    )

    assert applicable == [[1], [1, 2, 3], [2], []]


def test_terminals_with_the_same_rules_share_the_compiled_set():
    rules = RuleSet((row(1), row(2, site_id=7)))

    one, other, elsewhere = (rules.for_terminal(TerminalScope(n, n, "kiosk", f"model {n}")) for n in (1, 2, 7))

    assert one is other
    assert elsewhere is not one


THRESHOLDS = [
    # value, index reached while inactive, while warning is active, while critical is
    (59.9, NO_THRESHOLD, 0, 0),
    (57.0, NO_THRESHOLD, 0, 0),
    (56.9, NO_THRESHOLD, NO_THRESHOLD, NO_THRESHOLD),
    (60.0, 0, 0, 0),
    (72.0, 0, 0, 1),
    (71.9, 0, 0, 0),
    (75.0, 1, 1, 1),
    (99.0, 1, 1, 1),
]


@pytest.mark.parametrize(("value", "fresh", "warning", "critical"), THRESHOLDS)
def test_each_threshold_triggers_at_its_limit_and_clears_past_its_hysteresis(value, fresh, warning, critical):
    rule = level(limit=60, higher_thresholds=[{"severity": "critical", "limit": 75}], hysteresis=3)

    assert [rule.reached(value, active) for active in (NO_THRESHOLD, 0, 1)] == [fresh, warning, critical]


BANDS = [(20.0, True), (20.1, False), (59.9, False), (60.0, True), (-5.0, True), (90.0, True)]


@pytest.mark.parametrize(("value", "holds"), BANDS)
def test_a_range_triggers_on_either_side(value, holds):
    rule = level(comparison="outside", lower_limit=20, limit=60)

    assert (rule.reached(value) == 0) is holds


@pytest.mark.parametrize(("value", "holds"), [(22.0, True), (22.1, False), (57.9, False), (58.0, True)])
def test_a_range_clears_inside_of_it(value, holds):
    rule = level(comparison="outside", lower_limit=20, limit=60, hysteresis=2)

    assert (rule.reached(value, 0) == 0) is holds


def rates(rule: ThresholdRule, readings: list[tuple[float, float]]) -> list[float | None]:
    memory = {}
    return [rule.value(sample(value, at=at), memory) for at, value in readings]


def test_a_rate_is_computed_per_minute_once_its_window_has_passed():
    rule = level(comparison="rising", limit=2, window_s=60)

    values = rates(rule, [(0, 40.0), (30, 40.0), (60, 42.0), (90, 46.0), (120, 50.0)])

    assert values == [None, None, 2.0, 6.0, 8.0]


def test_a_rate_uses_the_clock_of_the_terminal_even_if_reports_are_late():
    rule = level(comparison="rising", limit=2, window_s=60)
    memory = {}

    values = [rule.value(sample(40.0 + n, at=300, taken_at=60 * n), memory) for n in range(3)]

    assert values == [None, 1.0, 1.0]


def test_a_clock_that_was_set_back_restarts_the_window():
    rule = level(comparison="rising", limit=2, window_s=60)

    assert rates(rule, [(0, 40.0), (60, 50.0), (-600, 50.0), (-560, 51.0), (-540, 51.0)])[2:] == [None, None, 1.0]


def test_only_a_few_readings_of_a_window_are_stored():
    rule, memory = level(comparison="rising", limit=2, window_s=3600), {}

    for n in range(3 * 3600):
        rule.value(sample(n / 60, at=n), memory)

    assert len(memory[rule.key]) <= 2 * 12


@pytest.mark.parametrize(("rate", "holds"), [(-2.1, True), (-2.0, True), (-1.9, False), (5.0, False)])
def test_falling_triggers_at_its_rate_and_below(rate, holds):
    rule = level(comparison="falling", limit=2, window_s=60)

    assert (rule.reached(rate) == 0) is holds


def test_a_metric_is_missing_since_its_last_report():
    rule, memory = level(comparison="absent", limit=600), {}

    values = [
        rule.value(sample(value, at=at), memory)
        for at, value in [(0, None), (10, 1.0), (20, None), (70, None), (80, 2.0)]
    ]

    assert values == [0.0, 0.0, 10.0, 60.0, 0.0]


@pytest.mark.parametrize("taken_at", [-90, 90])
def test_a_clock_is_wrong_in_either_direction(taken_at):
    rule = level(kind=RuleSource.CLOCK, comparison="", metric="", limit=60)

    assert rule.value(sample(at=0, taken_at=taken_at), {}) == 90.0
