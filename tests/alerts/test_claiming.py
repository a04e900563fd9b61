"""Claims: visible to everyone, without responsibility, and with an expiry."""

import pytest

from tests.support.alerts import events as steps
from tests.support.alerts.events import cleared, open_alert, queryset_of, transition_kinds
from tests.support.builders import AT, later
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Transition
from tms.notifications.dispatch import outbox

pytestmark = pytest.mark.both

TEN_MINUTES = 600


def claimant(alert: Alert):
    alert.refresh_from_db()
    return alert.claimed_by and alert.claimed_by.username


def test_a_claim_lasts_ten_minutes_and_then_expires(fleet, rule, terminal, scheduler):
    alert = open_alert(rule, terminal)

    done = lifecycle.claim(queryset_of(alert), by=fleet.person("aiko"), at=later(5))
    scheduler.advance(seconds=TEN_MINUTES + 4, step_s=TEN_MINUTES + 4)
    during = claimant(alert)
    scheduler.advance(seconds=1)

    assert (done, during, claimant(alert)) == (1, "aiko", None)
    assert (alert.state, alert.claimed_until) == ("open", None)
    assert transition_kinds(alert) == ["opened", "claimed", "released"]
    assert alert.transitions.last().by is None


def test_a_repeated_claim_lasts_longer_and_is_one_transition(fleet, rule, terminal):
    alert, aiko = open_alert(rule, terminal), fleet.person("aiko")
    lifecycle.claim(queryset_of(alert), by=aiko, at=later(0))

    again = lifecycle.claim(queryset_of(alert), by=aiko, at=later(60))

    alert.refresh_from_db()
    assert (again, alert.claimed_until) == (1, later(60 + TEN_MINUTES))
    assert transition_kinds(alert) == ["opened", "claimed"]


def test_another_person_may_take_over_and_the_history_shows_it(fleet, rule, terminal):
    alert = open_alert(rule, terminal)
    lifecycle.claim(queryset_of(alert), by=fleet.person("aiko"), at=later(0))

    lifecycle.claim(queryset_of(alert), by=fleet.person("ren"), at=later(60))

    assert claimant(alert) == "ren"
    steps = Transition.objects.filter(alert=alert, kind="claimed").values_list("by__username", flat=True)
    assert list(steps) == ["aiko", "ren"]


def test_a_claim_can_be_ended_and_ending_it_twice_has_no_effect(fleet, rule, terminal):
    alert, aiko = open_alert(rule, terminal), fleet.person("aiko")
    lifecycle.claim(queryset_of(alert), by=aiko, at=later(0))

    done = [lifecycle.unclaim(queryset_of(alert), by=aiko, at=later(n)) for n in (1, 2)]

    assert (done, claimant(alert)) == ([1, 0], None)
    assert transition_kinds(alert) == ["opened", "claimed", "released"]


def acknowledge(alert, by):
    lifecycle.acknowledge(queryset_of(alert), by=by, comment="", at=later(9))


def snooze(alert, by):
    lifecycle.snooze(queryset_of(alert), until=later(99), by=by, comment="", at=later(9))


def recover(alert, by):
    lifecycle.apply_events([cleared(alert.rule, alert.terminal, 9)])


@pytest.mark.parametrize("decide", [acknowledge, snooze, recover])
def test_every_decision_ends_the_claim_without_another_transition(fleet, rule, terminal, decide):
    alert = open_alert(rule, terminal)
    lifecycle.claim(queryset_of(alert), by=fleet.person("aiko"), at=later(0))

    decide(alert, fleet.person("ren"))

    assert claimant(alert) is None
    assert alert.claimed_until is None
    assert "released" not in transition_kinds(alert)


def test_a_snoozed_or_resolved_alert_cannot_be_claimed(fleet, rule, terminal):
    alert, aiko = open_alert(rule, terminal), fleet.person("aiko")
    for decide in (acknowledge, snooze, recover):
        decide(alert, aiko)

        assert lifecycle.claim(queryset_of(alert), by=aiko, at=later(20)) == 0
        assert claimant(alert) is None


def test_a_claim_does_not_invalidate_a_version_shown_to_others(fleet, rule, terminal):
    alert, version = open_alert(rule, terminal), Alert.objects.get().version
    lifecycle.claim(queryset_of(alert), by=fleet.person("ren"), at=later(5))

    steps.acknowledge(alert, fleet.person("aiko"), seconds=9, version=version)

    assert transition_kinds(alert)[-1] == "acknowledged"


def test_a_claim_neither_notifies_nor_suppresses_notifications(fleet, rule, terminal):
    """Only an acknowledgement stops escalation: a claim is made too easily to count."""
    alert = open_alert(rule, terminal)
    lifecycle.claim(queryset_of(alert), by=fleet.person("aiko"), at=later(0))

    outbox.process_transitions(AT)

    assert not Transition.objects.filter(dispatched_at=None).exists()
    assert Alert.objects.unacknowledged().get() == alert
