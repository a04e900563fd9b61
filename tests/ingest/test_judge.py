"""What one link's reports change, judged by the rules as they are now."""

import pytest

from tests.builders import AT, Link, identity_of, later
from tms.alerts import edits
from tms.alerts.lifecycle import Claim, Release
from tms.alerts.models import Alert
from tms.alerts.rulebook import rulebook
from tms.fleet.models import TerminalKind
from tms.ingest import store
from tms.ingest.judge import Judge
from tms.live.change import Change
from tms.protocol import frames


@pytest.fixture
def terminal(fleet):
    return fleet.terminal(kind=TerminalKind.GATE)


@pytest.fixture
def judge(terminal) -> Judge:
    return Judge(identity_of(terminal))


def report(seq: int = 1, *, events=(), **params) -> frames.Report:
    return frames.Report(seq, AT, events=tuple(frames.Event(AT, code) for code in events), **params)


def learn() -> None:
    """The feed told that rules changed."""
    rulebook.changed(Change(rules=True))
    rulebook.refresh()


def test_a_metric_is_claimed_once_and_released_once(fleet, terminal, judge):
    rule = fleet.metric_rule(limit=75, hysteresis=5, duration_s=60)
    learn()

    verdicts = [
        judge.report(report(metrics={"temperature_c": value}), at=later(n))
        for n, value in enumerate((70.0, 76.0, 80.0, 71.0, 69.0, 60.0))
    ]

    assert verdicts == [
        [],
        [Claim(rule.pk, terminal.pk, later(1), 60, value=76.0)],
        [],
        [],
        [Release(rule.pk, terminal.pk, later(4))],
        [],
    ]


@pytest.mark.parametrize("late", [{"late": True}, {"boot_id": "before"}])
def test_a_late_report_is_not_judged(fleet, judge, late):
    fleet.metric_rule(limit=75)
    fleet.event_rule("jam")
    learn()

    assert judge.report(report(metrics={"temperature_c": 99.0}, events=["jam"], **late), at=AT) == []


def test_an_event_that_comes_again_is_claimed_again_and_clears_with_its_other_code(fleet, terminal, judge):
    rule = fleet.event_rule("jam", "jam_ok", clear_after_s=900)
    learn()

    verdicts = judge.report(report(events=["jam", "noise", "jam", "jam_ok", "jam_ok"]), at=AT)

    claim, release = Claim(rule.pk, terminal.pk, AT, 0, 900), Release(rule.pk, terminal.pk, AT)
    assert verdicts == [claim, claim, release, release]


def test_rules_of_other_places_are_not_asked(fleet, judge):
    fleet.metric_rule(limit=0, site=fleet.site("OSK"))
    fleet.metric_rule(limit=0, terminal_kind=TerminalKind.PAYMENT)
    here = fleet.metric_rule(limit=0, terminal_kind=TerminalKind.GATE)
    learn()

    verdicts = judge.report(report(metrics={"temperature_c": 1.0}), at=AT)

    assert [verdict.rule_id for verdict in verdicts] == [here.pk]


def test_a_judge_begins_with_what_the_database_holds(fleet, terminal):
    rule = fleet.metric_rule(limit=75, hysteresis=5)
    learn()
    judge = Judge(identity_of(terminal), [rule.pk])

    within = judge.report(report(metrics={"temperature_c": 71.0}), at=AT)
    below = judge.report(report(metrics={"temperature_c": 69.0}), at=AT)

    assert (within, below) == ([], [Release(rule.pk, terminal.pk, AT)])


def test_an_edited_rule_is_judged_anew(fleet, terminal, judge):
    rule = fleet.metric_rule(limit=75)
    learn()
    judge.report(report(metrics={"temperature_c": 80.0}), at=AT)

    edits.change_rule(rule, at=AT)
    learn()
    verdicts = judge.report(report(metrics={"temperature_c": 80.0}), at=later(1))

    assert verdicts[-1] == Claim(rule.pk, terminal.pk, later(1), value=80.0)


@pytest.mark.both
@pytest.mark.parametrize("edit", [{"limit": 90}, {"enabled": False}])
def test_a_claim_that_crosses_an_edit_of_its_rule_is_taken_back(fleet, terminal, edit):
    """The report was judged before the edit and is committed after it: the edit could not let go of its alert."""
    rule = fleet.metric_rule(limit=75)
    learn()
    link = Link(terminal)
    store.write([link.boot()])
    crossing = link.report(1, metrics={"temperature_c": 80.0})
    for name, value in edit.items():
        setattr(rule, name, value)
    edits.change_rule(rule, at=later(1))
    store.write([crossing])

    learn()
    store.write([link.report(2, metrics={"temperature_c": 80.0}, at=later(2))])

    assert not Alert.objects.unresolved().exists()


def test_a_rule_that_the_judge_learns_of_later_goes_on_with_what_the_database_holds(fleet, terminal):
    """Another node opened the alert by a rule of which this one had not heard when the terminal came."""
    rule = fleet.metric_rule(limit=75, hysteresis=5)
    judge = Judge(identity_of(terminal), [rule.pk])
    learn()

    verdicts = judge.report(report(metrics={"temperature_c": 80.0}), at=AT)

    assert verdicts == []


def test_what_tms_noticed_is_judged_by_event_rules(fleet, terminal, judge):
    rule = fleet.event_rule("tms.duplicate_credential")
    learn()

    assert judge.event("tms.duplicate_credential", at=AT) == [Claim(rule.pk, terminal.pk, AT)]
