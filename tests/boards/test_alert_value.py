"""How far an alert's value is beyond the threshold, in the words of its rule."""

import pytest

from tests.support import factories
from tests.support.pages import HtmlPage

pytestmark = pytest.mark.both

HIGHER = [{"severity": "critical", "limit": 75.0}]


@pytest.mark.parametrize(
    ("fields", "value", "message"),
    [
        ({"limit": 60}, 61.2, "Temperature 61 °C, threshold 60 °C"),
        ({"comparison": "below", "metric": "paper_pct", "limit": 10}, 4, "Paper 4%, threshold 10%"),
        (
            {"comparison": "outside", "limit": 60, "lower_limit": 5, "hysteresis": 1},
            2,
            "Temperature 2 °C, thresholds 5 °C and 60 °C",
        ),
        (
            {"comparison": "rising", "limit": 0.5, "window_s": 60},
            0.72,
            "Temperature changes by 0.72 °C per minute, threshold 0.5 °C",
        ),
        ({"comparison": "absent", "limit": 120}, 125.3, "Temperature not reported for 2 min"),
    ],
)
def test_a_row_describes_it_like_its_rule(page, fleet, fields, value, message):
    alert = factories.alert(fleet, rule=fleet.metric_rule(**fields), value=value)

    assert message in page("/alerts/").text(f"alert-{alert.pk}")


def test_a_higher_threshold_is_shown_when_it_is_reached(page, fleet):
    rule = fleet.metric_rule(limit=60, severity="warning", higher_thresholds=HIGHER)
    alert = factories.alert(fleet, rule=rule, value=80)
    alert.severity = "critical"
    alert.save()

    assert "Temperature 80 °C, threshold 75 °C" in page("/alerts/").text(f"alert-{alert.pk}")


def test_a_wrong_clock_is_shown_as_a_duration(page, fleet):
    alert = factories.alert(fleet, rule=fleet.clock_rule(limit=60), value=95.4)

    seen: HtmlPage = page("/alerts/")

    assert "clock off by 95 s, threshold 1 min" in seen.text(f"alert-{alert.pk}")
