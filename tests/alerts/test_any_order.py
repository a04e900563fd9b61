"""Random orders of events of an alert: invariants hold, and its history matches its state."""

from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from tests.support.alerts.events import cleared, triggered
from tests.support.builders import Fleet, later
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Condition, Contract, Transition

pytestmark = pytest.mark.both

SECONDS = st.integers(1, 90)
SEVERITIES = st.sampled_from(["", "info", "warning", "critical"])
STALE_AFTER_S = 60
FLAPPING = 30, 15, 8
"""Window in seconds, high and low in percent: short, so that many runs flap."""


class Stand(NamedTuple):
    """The state of an alert, from its row and from its history."""

    state: str = ""
    severity: str = ""
    holder: int | None = None
    contract: str = ""
    until: object = None


def of_row(alert: Alert) -> Stand:
    holder = alert.acknowledged_by_id if alert.state == "acknowledged" else None
    return Stand(alert.state, alert.severity, holder, alert.contract, alert.until)


def after(stand: Stand, step: Transition) -> Stand:
    stand = stand._replace(severity=step.severity)
    match step.kind:
        case "opened" | "withdrawn" | "expired" | "undone":
            return stand._replace(state="open", holder=None, contract="", until=None)
        case "acknowledged":
            return stand._replace(state="acknowledged", holder=step.by_id, contract=step.contract, until=step.until)
        case "changed":
            return stand._replace(contract=step.contract, until=step.until)
        case "snoozed":
            return stand._replace(state="snoozed", holder=None, contract="", until=step.until)
        case "assigned" if stand.state == "acknowledged":
            return stand._replace(holder=step.to_id)
        case "resolved":
            return stand._replace(state="resolved", holder=None, contract="", until=None)
    return stand


class Life(RuleBasedStateMachine):
    """One terminal, two rules, two people, and a clock that advances."""

    def __init__(self, fleet: Fleet) -> None:
        super().__init__()
        self.terminal = fleet.online()
        self.rules = [fleet.event_rule(may_be_resolved_by_hand=True), fleet.metric_rule()]
        self.people = [fleet.person("aiko"), fleet.person("ren")]
        self.seconds = 0

    @property
    def alerts(self):
        return Alert.objects.filter(terminal=self.terminal).order_by("pk")

    def later(self, seconds: int = 1):
        self.seconds += seconds
        return later(self.seconds)

    # Events

    @rule(which=st.integers(0, 1), severity=SEVERITIES, duration_s=st.sampled_from([0, 0, 30]))
    def holds(self, which: int, severity: str, duration_s: int) -> None:
        self.later()
        lifecycle.apply_events(
            [triggered(self.rules[which], self.terminal, self.seconds, severity=severity, duration_s=duration_s)]
        )

    @rule(which=st.integers(0, 1))
    def recovers(self, which: int) -> None:
        self.later()
        lifecycle.apply_events([cleared(self.rules[which], self.terminal, self.seconds)])

    @rule(which=st.integers(0, 1), times=st.integers(1, 4), stays=st.booleans())
    def comes_and_goes(self, which: int, times: int, *, stays: bool) -> None:
        for _ in range(times):
            self.holds(which, "", 0)
            self.recovers(which)
        if stays:
            self.holds(which, "", 0)

    @rule(seconds=SECONDS)
    def time_passes(self, seconds: int) -> None:
        at = self.later(seconds)
        lifecycle.open_pending(at)
        lifecycle.expire_flapping(at)
        lifecycle.expire(at)
        lifecycle.remind(at)

    @rule(who=st.integers(0, 1), contract=st.sampled_from(Contract), seconds=SECONDS, skew_s=st.integers(-5, 0))
    def acknowledge_it(self, who: int, contract: Contract, seconds: int, skew_s: int) -> None:
        """By the clock of a node that may be behind."""
        self.later()
        at, until = later(self.seconds + skew_s), later(self.seconds + seconds)
        lifecycle.acknowledge(self.alerts, by=self.people[who], comment="", at=at, contract=contract, until=until)

    @rule(contract=st.sampled_from(Contract), seconds=SECONDS)
    def change_the_acknowledgement(self, contract: Contract, seconds: int) -> None:
        at, until = self.later(), later(self.seconds + seconds)
        lifecycle.change_acknowledgement(
            self.alerts, contract=contract, until=until, by=self.people[0], comment="", at=at
        )

    @rule()
    def reopen_it(self) -> None:
        lifecycle.reopen(self.alerts, by=self.people[0], comment="", at=self.later())

    @rule(seconds=SECONDS)
    def snooze_it(self, seconds: int) -> None:
        at, until = self.later(), later(self.seconds + seconds)
        lifecycle.snooze(self.alerts, until=until, by=self.people[0], comment="", at=at)

    @rule(who=st.integers(0, 1))
    def assign_it(self, who: int) -> None:
        lifecycle.assign(self.alerts, to=self.people[who], by=self.people[0], comment="", at=self.later())

    @rule(words=st.sampled_from(["on it", "waiting"]))
    def comment_on_it(self, words: str) -> None:
        lifecycle.comment(self.alerts, by=self.people[0], comment=words, at=self.later())

    @precondition(lambda self: self.alerts.unresolved().exists())
    @rule()
    def resolve_it(self) -> None:
        lifecycle.resolve(self.alerts, by=self.people[0], comment="", at=self.later())

    # Invariants

    @invariant()
    def at_most_one_is_open_and_only_what_holds_or_flaps_is(self) -> None:
        unresolved = self.alerts.unresolved().select_related("flapping")
        resting = [alert.rule_id for alert in unresolved if alert.is_flapping and not alert.flapping.is_failing]
        due = Condition.objects.filter(terminal=self.terminal, due_at=None).values_list("rule_id", flat=True)
        assert sorted([*resting, *due]) == sorted(alert.rule_id for alert in unresolved)

    @invariant()
    def what_flaps_began_to_and_has_not_ended(self) -> None:
        for alert in self.alerts.select_related("flapping"):
            message = [step.kind for step in alert.transitions.order_by("pk") if step.kind in ("flapping", "calm")]
            assert message in ([], ["flapping"], ["flapping", "calm"])
            assert alert.is_flapping == (message == ["flapping"] and alert.state != "resolved")

    @invariant()
    def history_adds_up_to_how_it_stands(self) -> None:
        for alert in self.alerts:
            stand = Stand()
            for step in alert.transitions.order_by("pk"):
                assert stand.state != "resolved", "nothing comes after the recovery"
                stand = after(stand, step)
            assert stand == of_row(alert)

    @invariant()
    def history_goes_forward(self) -> None:
        for alert in self.alerts:
            instants = list(alert.transitions.order_by("pk").values_list("at", flat=True))
            assert instants == sorted(instants)
            assert instants[-1] == alert.changed_at

    @invariant()
    def only_acknowledged_alerts_are_awaited_or_stale(self) -> None:
        assert not self.alerts.exclude(state__in=("acknowledged", "snoozed")).exclude(until=None).exists()
        assert not self.alerts.exclude(state="acknowledged").exclude(remind_at=None, is_stale=False).exists()


def test_in_any_order_of_events_history_agrees_with_the_state_of_alerts(fleet, settings):
    settings.STALE_AFTER_S = STALE_AFTER_S
    settings.FLAPPING_WINDOW_S, settings.FLAPPING_HIGH_PCT, settings.FLAPPING_LOW_PCT = FLAPPING

    run_state_machine_as_test(lambda: Life(fleet), settings=SEARCH)


SEARCH = settings(max_examples=20, stateful_step_count=20)
