"""What rules say, as tables."""

import pytest

from tms.alerts.models import Comparison, Rule, RuleKind
from tms.alerts.rules import EventRule, MetricRule, PresenceRule, RuleKey, RuleSet
from tms.fleet.models import Cause, Presence, TerminalKind

KEY = RuleKey(1, 1)


def hot(comparison: str = Comparison.ABOVE, *, limit: float = 75, hysteresis: float = 5) -> MetricRule:
    return MetricRule(KEY, "temperature_c", comparison, limit, hysteresis, 0)


METRICS = [
    # comparison, value, while it does not hold, while it holds
    (Comparison.ABOVE, 74.9, False, True),
    (Comparison.ABOVE, 75.0, True, True),
    (Comparison.ABOVE, 75.1, True, True),
    (Comparison.ABOVE, 70.0, False, True),
    (Comparison.ABOVE, 69.9, False, False),
    (Comparison.ABOVE, -40.0, False, False),
    (Comparison.BELOW, 75.1, False, True),
    (Comparison.BELOW, 75.0, True, True),
    (Comparison.BELOW, 74.9, True, True),
    (Comparison.BELOW, 80.0, False, True),
    (Comparison.BELOW, 80.1, False, False),
    (Comparison.BELOW, 900.0, False, False),
]


@pytest.mark.parametrize(("comparison", "value", "fresh", "held"), METRICS)
def test_a_metric_rule_holds_from_its_limit_and_lets_go_past_its_hysteresis(comparison, value, fresh, held):
    rule = hot(comparison)

    verdicts = [rule.verdict({"temperature_c": value}, holding=holding) for holding in (False, True)]

    assert verdicts == [fresh, held]


@pytest.mark.parametrize("comparison", Comparison.values)
def test_without_hysteresis_a_rule_lets_go_where_it_took_hold(comparison):
    rule = hot(comparison, hysteresis=0)
    over = 1 if comparison == Comparison.ABOVE else -1

    verdicts = [rule.verdict({"temperature_c": 75.0 + over * by}, holding=True) for by in (0.0, -0.1)]

    assert verdicts == [True, False]


@pytest.mark.parametrize("holding", [False, True])
@pytest.mark.parametrize("metrics", [{}, {"paper_pct": 99.0}])
def test_a_report_without_the_metric_proves_nothing(metrics, holding):
    assert hot().verdict(metrics, holding=holding) is None


PRESENCES = [
    # the rule's presence, what it holds for
    (Presence.OFFLINE, {Presence.OFFLINE}),
    (Presence.SILENT, {Presence.SILENT, Presence.OFFLINE}),
]


@pytest.mark.parametrize(("watched", "holds"), PRESENCES)
def test_a_presence_rule_holds_for_its_presence_and_what_is_worse(watched, holds):
    rule = PresenceRule(KEY, watched, 0)

    assert {presence for presence in Presence if rule.verdict(presence)} == holds


@pytest.mark.parametrize("watched", [Presence.SILENT, Presence.OFFLINE])
def test_a_silence_that_tms_itself_caused_proves_nothing_until_the_terminal_is_offline(watched):
    rule = PresenceRule(KEY, watched, 0)

    assert not rule.verdict(Presence.SILENT, Cause.NODE_STOPPED)
    assert rule.verdict(Presence.OFFLINE, Cause.NODE_STOPPED)


EVENTS = [
    # clear code of the rule, code that comes, verdict
    ("reader_ok", "reader_fault", True),
    ("reader_ok", "reader_ok", False),
    ("reader_ok", "paper_jam", None),
    ("", "reader_fault", True),
    ("", "reader_ok", None),
    ("", "", None),
]


@pytest.mark.parametrize(("clear_code", "code", "verdict"), EVENTS)
def test_an_event_rule_holds_from_one_code_until_another(clear_code, code, verdict):
    rule = EventRule(KEY, "reader_fault", clear_code, 0, 0)

    assert rule.verdict(code) is verdict


def row(pk: int, **fields) -> Rule:
    fields = {"kind": RuleKind.METRIC, "metric": "m", "comparison": Comparison.ABOVE, "limit": 1.0} | fields
    return Rule(pk=pk, name=f"rule {pk}", **fields)


PLACES = [
    # site, kind, rules that apply
    (7, TerminalKind.KIOSK, [1, 2]),
    (7, TerminalKind.GATE, [1, 2, 3, 4]),
    (8, TerminalKind.GATE, [1, 3]),
    (8, TerminalKind.KIOSK, [1]),
]


@pytest.mark.parametrize(("site_id", "kind", "wanted"), PLACES)
def test_a_rule_applies_at_its_site_and_to_its_kind_of_terminal(site_id, kind, wanted):
    gate = TerminalKind.GATE.value
    rules = RuleSet((row(1), row(2, site_id=7), row(3, terminal_kind=gate), row(4, site_id=7, terminal_kind=gate)))

    applicable = rules.for_terminal(site_id, kind)

    assert [rule.key.rule_id for rule in applicable.metric] == wanted


def test_rules_are_sorted_by_kind_and_carry_their_revision():
    rules = RuleSet(
        (
            row(1, revision=3),
            row(2, kind=RuleKind.EVENT, event_code="jam", clear_code="ok", clear_after_s=5, duration_s=2),
            row(3, kind=RuleKind.PRESENCE, presence=Presence.SILENT, duration_s=60),
        )
    )

    applicable = rules.for_terminal(1, TerminalKind.KIOSK)

    assert applicable.metric == (MetricRule(RuleKey(1, 3), "m", Comparison.ABOVE, 1.0, 0, 0),)
    assert applicable.event == (EventRule(RuleKey(2, 1), "jam", "ok", 5, 2),)
    assert applicable.presence == (PresenceRule(RuleKey(3, 1), Presence.SILENT, 60),)
    assert rules.revisions == {1: 3, 2: 1, 3: 1}
