"""Random orders of events of an alert: invariants hold, and its history matches its state."""

from typing import NamedTuple

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant, run_state_machine_as_test

from tests.support.alerts.life import Life, shorten_times
from tms.alerts.models import Alert, Condition, Transition

pytestmark = pytest.mark.both


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


class CheckedLife(Life):
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
    shorten_times(settings)

    run_state_machine_as_test(lambda: CheckedLife(fleet), settings=SEARCH)


SEARCH = settings(max_examples=20, stateful_step_count=20)
