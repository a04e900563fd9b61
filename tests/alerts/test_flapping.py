"""An alert that opens and recovers repeatedly stays open until it is stable."""

from datetime import timedelta

import pytest
from django.db import transaction

from tests.support.alerts.events import cleared, transition_kinds, triggered
from tests.support.builders import AT, later
from tests.support.factories import acknowledged
from tests.support.threads import run_concurrently
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Condition, Flapping
from tms.alerts.rule_editing import services
from tms.fleet.presence import store

pytestmark = pytest.mark.both

MINUTE, HOUR = 60, 3600


def wobble(rule, terminal, times: int, *, begins: float = 0, every: float = MINUTE, **fields) -> float:
    """Open and resolve an alert repeatedly; returns the last recovery."""
    for number in range(times):
        lifecycle.apply_events([triggered(rule, terminal, begins + 2 * number * every, **fields)])
        lifecycle.apply_events([cleared(rule, terminal, begins + (2 * number + 1) * every)])
    return begins + (2 * times - 1) * every


def flapping(rule, terminal) -> Alert:
    """The alert after the fourth opening within seven minutes."""
    wobble(rule, terminal, 3)
    lifecycle.apply_events([triggered(rule, terminal, 6 * MINUTE)])
    return Alert.objects.flapping().select_related("flapping").get()


def pass_(seconds: float) -> None:
    lifecycle.expire_flapping(later(seconds))


def test_flapping_starts_at_the_fourth_opening_within_minutes(rule, terminal):
    wobble(rule, terminal, 3)
    before = Alert.objects.flapping().count()

    lifecycle.apply_events([triggered(rule, terminal, 6 * MINUTE)])

    alert = Alert.objects.flapping().get()
    assert before == 0
    assert transition_kinds(alert) == ["opened", "flapping"]
    assert (alert.flapping.since, alert.flapping.changes) == (later(6 * MINUTE), 7)


def test_occasional_openings_are_not_flapping(rule, terminal):
    wobble(rule, terminal, 20, every=15 * MINUTE)

    assert not Flapping.objects.exists()


def test_changes_of_other_alerts_do_not_count(fleet, rule, terminal):
    for other_rule, other in ((fleet.metric_rule(), terminal), (rule, fleet.online())):
        wobble(other_rule, other, 3)

    lifecycle.apply_events([triggered(rule, terminal, 6 * MINUTE)])

    assert not Flapping.objects.exists()


def test_flapping_is_not_detected_if_the_rule_opts_out_or_it_is_switched_off(fleet, terminal, settings):
    careless = fleet.metric_rule(watches_flapping=False)
    wobble(careless, terminal, 10)
    settings.FLAPPING_WINDOW_S = 0
    wobble(fleet.metric_rule(), terminal, 10)

    assert not Flapping.objects.exists()


def test_a_flapping_alert_stays_open_and_its_changes_are_counted(rule, terminal):
    alert = flapping(rule, terminal)

    wobble(rule, terminal, 5, begins=8 * MINUTE, every=10)

    alert = Alert.objects.select_related("flapping").get(pk=alert.pk)
    assert (alert.state, alert.flapping.changes, alert.flapping.is_failing) == ("open", 16, False)
    assert transition_kinds(alert) == ["opened", "flapping"]
    assert Alert.objects.count() == 4
    assert not Condition.objects.exists()


def test_a_stable_alert_is_resolved_if_the_rule_does_not_match(rule, terminal):
    alert = flapping(rule, terminal)
    lifecycle.apply_events([cleared(rule, terminal, 7 * MINUTE)])
    stable_at = Flapping.objects.get().stable_at

    lifecycle.expire_flapping(stable_at - timedelta(seconds=1))
    before = Alert.objects.flapping().count()
    lifecycle.expire_flapping(stable_at)

    alert.refresh_from_db()
    assert before == 1
    assert later(7 * MINUTE + 1) < stable_at < later(7 * MINUTE + 1800)
    assert (alert.state, alert.resolved_at) == ("resolved", stable_at)
    assert transition_kinds(alert) == ["opened", "flapping", "calm", "resolved"]
    assert not Alert.objects.flapping().exists()


def test_a_stable_alert_continues_as_usual_if_the_rule_matches(rule, terminal):
    alert = flapping(rule, terminal)

    pass_(HOUR)

    assert transition_kinds(alert) == ["opened", "flapping", "calm"]
    assert not Alert.objects.flapping().exists()
    lifecycle.apply_events([cleared(rule, terminal, HOUR + 1)])
    assert not Alert.objects.unresolved().exists()


def test_it_becomes_stable_once(rule, terminal):
    alert = flapping(rule, terminal)

    pass_(HOUR)
    pass_(HOUR + 1)

    assert transition_kinds(alert) == ["opened", "flapping", "calm"]


def test_one_acknowledgement_covers_all_changes(fleet, rule, terminal):
    aiko = fleet.person("aiko")
    alert = flapping(rule, terminal)
    acknowledged(alert, by=aiko)

    lifecycle.apply_events([cleared(rule, terminal, 7 * MINUTE)])
    lifecycle.apply_events([triggered(rule, terminal, 8 * MINUTE)])

    assert list(Alert.objects.unresolved().values_list("pk", "state", "acknowledged_by")) == [
        (alert.pk, "acknowledged", aiko.pk)
    ]
    pass_(2 * HOUR)
    assert Alert.objects.unresolved().get().contract == "recovery"


def test_a_flapping_alert_worsens_at_once_and_improves_only_when_it_is_stable(fleet, terminal):
    rule = fleet.metric_rule(higher_thresholds=[{"severity": "critical", "limit": 90}])
    alert = flapping(rule, terminal)
    for begins, severity in ((8, "critical"), (10, "warning"), (12, "critical")):
        wobble(rule, terminal, 1, begins=begins * MINUTE, severity=severity)
    lifecycle.apply_events([triggered(rule, terminal, 14 * MINUTE, severity="warning")])
    before = Alert.objects.get(pk=alert.pk).severity

    pass_(2 * HOUR)

    assert before == "critical"
    assert Alert.objects.get(pk=alert.pk).severity == "warning"
    assert transition_kinds(alert) == ["opened", "flapping", "worsened", "calm", "eased"]


def test_a_worsened_flapping_alert_is_no_longer_acknowledged(fleet, terminal):
    rule = fleet.metric_rule(higher_thresholds=[{"severity": "critical", "limit": 90}])
    alert = flapping(rule, terminal)
    acknowledged(alert, by=fleet.person())

    lifecycle.apply_events([cleared(rule, terminal, 7 * MINUTE)])
    lifecycle.apply_events([triggered(rule, terminal, 8 * MINUTE, severity="critical")])

    assert transition_kinds(alert) == ["opened", "flapping", "acknowledged", "worsened", "undone"]


def test_a_changed_rule_resolves_flapping_alerts(rule, terminal):
    alert = flapping(rule, terminal)

    services.change_rule(rule, at=later(7 * MINUTE))
    pass_(HOUR)

    assert transition_kinds(alert) == ["opened", "flapping", "resolved"]
    assert not Alert.objects.flapping().exists()


def test_a_person_may_resolve_it_if_the_rule_allows_it(fleet, terminal):
    rule = fleet.metric_rule(may_be_resolved_by_hand=True)
    alert = flapping(rule, terminal)

    lifecycle.resolve(Alert.objects.all(), by=fleet.person(), comment="", at=later(7 * MINUTE))
    lifecycle.apply_events([triggered(rule, terminal, 8 * MINUTE)])

    assert transition_kinds(alert) == ["opened", "flapping", "resolved"]
    assert Alert.objects.unresolved().get().pk != alert.pk


def test_it_may_flap_again_after_it_was_stable(rule, terminal):
    flapping(rule, terminal)
    lifecycle.apply_events([cleared(rule, terminal, 7 * MINUTE)])
    pass_(HOUR)

    wobble(rule, terminal, 4, begins=HOUR)

    assert Flapping.objects.count() == 2
    assert Alert.objects.flapping().get().flapping.since == later(HOUR + 6 * MINUTE)


def test_many_openings_cost_one_more_query(fleet, rule, terminal, django_assert_num_queries):
    flapping(rule, terminal)
    claims = [triggered(rule, other, 7 * MINUTE) for other in fleet.terminals(50)]
    lifecycle.apply_events([triggered(rule, fleet.online(), 7 * MINUTE)])

    with django_assert_num_queries(QUERIES_TO_OPEN):
        lifecycle.apply_events(claims)

    assert Alert.objects.flapping().get().opened_at > AT


QUERIES_TO_OPEN = 10


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_concurrent_clocks_and_recoveries_end_it_once(rule, terminal):
    with transaction.atomic():
        alert = flapping(rule, terminal)

    def act(n: int) -> None:
        if n % 2:
            lifecycle.expire_flapping(later(2 * HOUR))
            return
        with transaction.atomic():
            store.lock([terminal.pk])
            lifecycle.apply_events([cleared(rule, terminal, 8 * MINUTE + n)])

    results = run_concurrently(8, act)

    assert results == [None] * 8
    assert transition_kinds(alert) == ["opened", "flapping", "calm", "resolved"]
    assert not Alert.objects.flapping().exists()
