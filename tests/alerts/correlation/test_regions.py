"""Incidents of a region when it is renamed."""

import pytest

from tests.support.builders import AT
from tms.alerts.models import Incident
from tms.fleet.regions import services

pytestmark = pytest.mark.django_db


def test_incidents_of_a_renamed_region_follow_and_those_of_others_stay(fleet):
    region = services.create_region("South")
    rule = fleet.presence_rule()
    keys = ["South", f"rule-{rule.pk}:South", f"rule-{rule.pk}:Kanto:South", "North"]
    for key in keys:
        counts = {"size": 5, "lost": 5, "rule": rule if "rule" in key else None}
        Incident.objects.create(factor="region", key=key, opened_at=AT, unchanged_since=AT, **counts)

    services.edit_region(region, name="Kyushu", name_ja="")

    found = list(Incident.objects.order_by("pk").values_list("key", flat=True))
    assert found == ["Kyushu", f"rule-{rule.pk}:Kyushu", f"rule-{rule.pk}:Kanto:South", "North"]
