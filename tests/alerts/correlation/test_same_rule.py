"""The same rule at many terminals with something in common is one incident, in any order of the reports."""

from collections.abc import Sequence

import pytest

from tests.support.alerts.events import cleared, triggered
from tests.support.alerts.incidents import only_incident, transitions_of
from tests.support.builders import later
from tms.alerts import lifecycle
from tms.alerts.correlation.correlate import correlate
from tms.alerts.models import Alert, Incident, SameRuleCorrelation
from tms.fleet.models import Terminal

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture
def rule(fleet):
    return fleet.metric_rule(name="Paper low", severity="warning")


def shop(fleet, code: str, number: int, **fields) -> list[Terminal]:
    return fleet.terminals_online(number, site=fleet.site(code), **fields)


def report(rule, terminals: Sequence[Terminal], *, seconds: float = 0, apart_s: float = 1) -> None:
    """One after another, with a pass of the correlation after each."""
    for number, terminal in enumerate(terminals):
        at = seconds + number * apart_s
        lifecycle.apply_events([triggered(rule, terminal, at)])
        correlate(later(at))


def release(fleet, sites: int = 8, each: int = 3, others: int = 3) -> list[Terminal]:
    """A firmware on `each` of the terminals at some sites."""
    for number in range(sites):
        shop(fleet, f"S{number}", others, firmware="4.2.0", model=f"M{number % 3}")
    return [
        terminal
        for number in range(sites)
        for terminal in shop(fleet, f"S{number}", each, firmware="4.2.1", model=f"M{number % 3}")
    ]


def test_a_release_that_breaks_terminals_everywhere_is_one_incident(fleet, rule):
    affected = release(fleet)

    report(rule, affected)

    incident = only_incident()
    assert (incident.named_factor, incident.name, incident.rule) == ("firmware", "4.2.1", rule)
    assert (incident.lost, incident.size, incident.severity) == (24, 24, "warning")
    assert incident.title == "Paper low, firmware 4.2.1: 24 of 24 terminals"
    assert set(Alert.objects.values_list("incident", flat=True)) == {incident.pk}


def orders() -> list:
    """Sites one after another; the first site last; in turns and backwards."""
    in_order = list(range(24))
    in_turns = [site * 3 + lane for lane in range(3) for site in range(8)]
    return [in_order, in_order[3:] + in_order[:3], in_turns[::-1]]


@pytest.mark.parametrize("order", orders())
def test_the_order_of_the_reports_does_not_decide_what_it_is(fleet, rule, order):
    """Some sites are affected as a whole, and are incidents of their own until the release explains more."""
    affected = release(fleet, sites=4, each=6, others=0) + shop(fleet, "S9", 4, firmware="4.2.0")
    shop(fleet, "S8", 20, firmware="4.2.0")

    report(rule, [affected[number] for number in order])

    incident = Incident.objects.unresolved().get()
    assert (incident.named_factor, incident.name, incident.lost) == ("firmware", "4.2.1", 24)
    assert set(Alert.objects.unresolved().values_list("incident", flat=True)) == {incident.pk}
    assert all(part.merged_into == incident for part in Incident.objects.exclude(pk=incident.pk))


@pytest.mark.parametrize(
    ("at_site", "affected", "is_incident"),
    [(5, 4, False), (5, 5, True), (12, 5, False), (12, 6, True), (30, 11, False)],
)
def test_below_its_share_nothing_is_an_incident(fleet, rule, at_site, affected, is_incident):
    shop(fleet, "OSK", 100, firmware="1")

    report(rule, shop(fleet, "SJK", at_site, firmware="2")[:affected])

    assert Incident.objects.exists() is is_incident


def test_alerts_far_apart_in_time_cause_no_incident(fleet, rule):
    report(rule, shop(fleet, "SJK", 6), apart_s=200)

    assert not Incident.objects.exists()


def test_different_rules_are_counted_apart_and_are_incidents_apart(fleet, rule):
    hot = fleet.metric_rule(name="Hot", severity="critical")
    terminals = shop(fleet, "SJK", 5)

    report(rule, terminals[:4])
    report(hot, terminals[:1], seconds=10)
    assert not Incident.objects.exists()

    report(rule, terminals[4:], seconds=20)
    report(hot, terminals[1:], seconds=30)

    assert sorted(Incident.objects.values_list("rule__name", "joined_count")) == [("Hot", 5), ("Paper low", 5)]


def test_later_alerts_join_and_it_ends_with_its_alerts(fleet, rule):
    terminals = shop(fleet, "SJK", 8)
    report(rule, terminals[:5])

    report(rule, terminals[5:6], seconds=900)
    lifecycle.apply_events([cleared(rule, terminal, 1_000) for terminal in terminals[:6]])
    correlate(later(1_001))

    assert transitions_of(only_incident()) == [("opened", 5), ("joined", 1), ("left", 6), ("resolved", 0)]


def test_a_region_is_named_if_nothing_narrower_explains_it(fleet, rule):
    for number in range(6):
        fleet.site(f"W{number}", region="Kansai")
    affected = [one for number in range(6) for one in shop(fleet, f"W{number}", 5, firmware=f"{number}")[:2]]
    shop(fleet, "E1", 100)

    report(rule, affected)

    assert only_incident().title == "Paper low, region Kansai: 12 of 30 terminals"
    assert only_incident().factor == "region"


def test_a_factor_that_is_switched_off_explains_nothing(fleet, rule):
    SameRuleCorrelation.objects.create(factor="site", enabled=False)

    report(rule, shop(fleet, "SJK", 9))

    assert not Incident.objects.exists()


def test_presence_is_left_to_its_own_correlation(storm, fleet, rule):
    terminals = storm.shop("SJK", 5)
    storm.lose(terminals)

    at = (storm.scheduler.at - later(0)).total_seconds()
    report(rule, terminals, seconds=at)

    assert set(Incident.objects.values_list("rule__name", "joined_count")) == {("Paper low", 5), (None, 5)}
