"""The number on a choice of a filter is what the list shows after choosing it, with the other filters as they are."""

import pytest

from tests.support import factories
from tms.alerts.models import Alert

pytestmark = [pytest.mark.both, pytest.mark.embedded]

NAMES = ("critical", "warning", "unacknowledged", "stale", "flapping")


@pytest.fixture
def alerts(fleet, sato) -> None:
    """At UMD an incident of 5 critical alerts; at SJK two warnings, one acknowledged, and a critical one."""
    factories.incident(fleet, "UMD")
    rule = fleet.metric_rule(severity="warning", name="Hot")
    for _ in range(2):
        warning = factories.alert(fleet, rule=rule, site=fleet.site("SJK"))
    factories.acknowledged(warning, by=sato)
    Alert.objects.filter(pk=warning.pk).update(is_stale=True)
    factories.alert(fleet, severity="critical", site=fleet.site("SJK"))


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("", "2 2 3 1 0"),
        ("severity=critical", "2 2 2 0 0"),
        ("unacknowledged=1", "2 1 3 0 0"),
        ("site=SJK", "1 2 2 1 0"),
        ("site=UMD&severity=warning", "1 0 0 0 0"),
        ("stale=1", "0 1 0 1 0"),
        ("q=Hot", "0 2 1 1 0"),
    ],
)
def test_each_choice_counts_with_the_other_filters(page, alerts, query, numbers):
    seen = page(f"/alerts/?{query}")

    assert " ".join(seen.text(f"count-{name}") for name in NAMES) == numbers


def test_the_number_of_a_cell_is_that_of_terminals(page, fleet, alerts):
    hot = Alert.objects.filter(severity="critical", terminal__site__code="SJK").get().terminal
    factories.alert(fleet, severity="critical", terminal=hot)

    seen = page("/")

    assert seen.text("number-site-SJK") == "1"
    assert seen.text("number-site-UMD") == "5"
    assert "The number is that of terminals affected." in seen.html
