"""Response times of alerts, over the API."""

from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.builders import now
from tests.support.rest import invalid_fields

pytestmark = pytest.mark.both


def test_it_returns_all_and_each_severity_and_each_site(watcher, fleet):
    opened_at = now() - timedelta(hours=1)
    alert = factories.alert(fleet, opened_at=opened_at)
    factories.acknowledged(alert, by=fleet.person("ken"), comment="", at=opened_at + timedelta(minutes=2))

    result = watcher.get("/alert-times").json()

    assert [(line["by"], line["key"]) for line in result] == [("all", ""), ("severity", "critical"), ("site", "SJK")]
    assert all(line["time_to_acknowledge"]["median_s"] == 120 for line in result)
    assert result[0]["time_to_resolve"] == {"number": 0, "mean_s": None, "median_s": None, "p90_s": None}


def test_only_alerts_that_opened_within_the_period_count(watcher, fleet):
    factories.alert(fleet, opened_at=now() - timedelta(hours=3))

    assert watcher.get("/alert-times", {"since": (now() - timedelta(hours=1)).isoformat()}).json() == []


def test_a_period_that_is_too_long_is_refused(watcher):
    assert invalid_fields(watcher.get("/alert-times", {"since": "2001-01-01T00:00:00Z"})) == ["?since"]
