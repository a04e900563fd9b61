"""What opens and recovers again and again is one alert until it is calm."""

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
    """Open and recover so often; when the last recovery was."""
    for number in range(times):
        lifecycle.apply_events([triggered(rule, terminal, begins + 2 * number * every, **fields)])
        lifecycle.apply_events([cleared(rule, terminal, begins + (2 * number + 1) * every)])
    return begins + (2 * times - 1) * every


def flapping(rule, terminal) -> Alert:
    """After the fourth opening within seven minutes."""
    wobble(rule, terminal, 3)
    lifecycle.apply_events([triggered(rule, terminal, 6 * MINUTE)])
    return Alert.objects.flapping().select_related("flapping").get()


def pass_(seconds: float) -> None:
    lifecycle.expire_flapping(later(seconds))


def test_it_begins_to_flap_when_it_opens_for_the_fourth_time_within_minutes(rule, terminal):
    wobble(rule, terminal, 3)
    before = Alert.objects.flapping().count()

    lifecycle.apply_events([triggered(rule, terminal, 6 * MINUTE)])

    alert = Alert.objects.flapping().get()
    assert before == 0
    assert transition_kinds(alert) == ["opened", "flapping"]
    assert (alert.flapping.since, alert.flapping.changes) == (later(6 * MINUTE), 7)


def test_what_opens_now_and_then_does_not_flap(rule, terminal):
    wobble(rule, terminal, 20, every=15 * MINUTE)

    assert not Flapping.objects.exists()


def test_neither_does_it_where_the_changes_are_those_of_others(fleet, rule, terminal):
    for other_rule, other in ((fleet.metric_rule(), terminal), (rule, fleet.online())):
        wobble(other_rule, other, 3)

    lifecycle.apply_events([triggered(rule, terminal, 6 * MINUTE)])

    assert not Flapping.objects.exists()


def test_nor_where_its_rule_does_not_watch_for_it_or_nobody_wants_it(fleet, terminal, settings):
    careless = fleet.metric_rule(watches_flapping=False)
    wobble(careless, terminal, 10)
    settings.FLAPPING_WINDOW_S = 0
    wobble(fleet.metric_rule(), terminal, 10)

    assert not Flapping.objects.exists()


def test_while_it_flaps_it_stands_and_its_changes_are_counted(rule, terminal):
    alert = flapping(rule, terminal)

    wobble(rule, terminal, 5, begins=8 * MINUTE, every=10)

    alert = Alert.objects.select_related("flapping").get(pk=alert.pk)
    assert (alert.state, alert.flapping.changes, alert.flapping.is_wrong) == ("open", 16, False)
    assert transition_kinds(alert) == ["opened", "flapping"]
    assert Alert.objects.count() == 4
    assert not Condition.objects.exists()


def test_what_is_well_when_it_is_calm_is_over(rule, terminal):
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


def test_what_is_still_wrong_when_it_is_calm_stands_and_is_an_alert_like_others(rule, terminal):
    alert = flapping(rule, terminal)

    pass_(HOUR)

    assert transition_kinds(alert) == ["opened", "flapping", "calm"]
    assert not Alert.objects.flapping().exists()
    lifecycle.apply_events([cleared(rule, terminal, HOUR + 1)])
    assert not Alert.objects.unresolved().exists()


def test_it_is_calm_once(rule, terminal):
    alert = flapping(rule, terminal)

    pass_(HOUR)
    pass_(HOUR + 1)

    assert transition_kinds(alert) == ["opened", "flapping", "calm"]


def test_an_acknowledgement_covers_all_of_it(fleet, rule, terminal):
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


def test_while_it_flaps_it_gets_worse_and_eases_only_when_it_is_calm(fleet, terminal):
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


def test_whoever_took_it_before_it_got_worse_has_it_no_more(fleet, terminal):
    rule = fleet.metric_rule(higher_thresholds=[{"severity": "critical", "limit": 90}])
    alert = flapping(rule, terminal)
    acknowledged(alert, by=fleet.person())

    lifecycle.apply_events([cleared(rule, terminal, 7 * MINUTE)])
    lifecycle.apply_events([triggered(rule, terminal, 8 * MINUTE, severity="critical")])

    assert transition_kinds(alert) == ["opened", "flapping", "acknowledged", "worsened", "undone"]


def test_a_rule_that_is_changed_lets_go_of_what_flaps(rule, terminal):
    alert = flapping(rule, terminal)

    services.change_rule(rule, at=later(7 * MINUTE))
    pass_(HOUR)

    assert transition_kinds(alert) == ["opened", "flapping", "resolved"]
    assert not Alert.objects.flapping().exists()


def test_a_person_may_say_that_it_is_over_where_the_rule_lets_them(fleet, terminal):
    rule = fleet.metric_rule(may_be_resolved_by_hand=True)
    alert = flapping(rule, terminal)

    lifecycle.resolve(Alert.objects.all(), by=fleet.person(), comment="", at=later(7 * MINUTE))
    lifecycle.apply_events([triggered(rule, terminal, 8 * MINUTE)])

    assert transition_kinds(alert) == ["opened", "flapping", "resolved"]
    assert Alert.objects.unresolved().get().pk != alert.pk


def test_after_a_calm_it_may_flap_again(rule, terminal):
    flapping(rule, terminal)
    lifecycle.apply_events([cleared(rule, terminal, 7 * MINUTE)])
    pass_(HOUR)

    wobble(rule, terminal, 4, begins=HOUR)

    assert Flapping.objects.count() == 2
    assert Alert.objects.flapping().get().flapping.since == later(HOUR + 6 * MINUTE)


def test_many_alerts_that_open_cost_one_look_more(fleet, rule, terminal, django_assert_num_queries):
    flapping(rule, terminal)
    claims = [triggered(rule, other, 7 * MINUTE) for other in fleet.terminals(50)]
    lifecycle.apply_events([triggered(rule, fleet.online(), 7 * MINUTE)])

    with django_assert_num_queries(QUERIES_TO_OPEN):
        lifecycle.apply_events(claims)

    assert Alert.objects.flapping().get().opened_at > AT


QUERIES_TO_OPEN = 9


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_two_clocks_and_recoveries_at_once_end_it_once(rule, terminal):
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
