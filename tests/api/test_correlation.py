"""Correlation settings over the API."""

import pytest

from tests.support.rest import invalid_fields, problem_of
from tms.alerts.models import CorrelationRule

pytestmark = pytest.mark.both

SETTINGS = {"enabled": True, "within_s": 30, "least": 3, "small_pct": 75, "medium_pct": 40, "large_pct": 25}


def test_settings_are_read_changed_and_reset(editor):
    before = editor.get("/correlation").json()
    changed = editor.send("PUT", "/correlation/site", SETTINGS).json()
    needed = CorrelationRule.in_force()["site"].needed(8)
    reset = editor.send("DELETE", "/correlation")

    assert [one["factor"] for one in before] == ["site", "group", "model", "firmware", "node", "region", "fleet"]
    assert all(one["is_default"] for one in before)
    assert changed == {"factor": "site", "is_default": False, **SETTINGS}
    assert (needed, reset.status_code) == (6, 204)
    assert editor.get("/correlation").json() == before


def test_only_people_who_may_change_rules_change_them(watcher):
    assert problem_of(watcher.send("PUT", "/correlation/site", SETTINGS)) == (403, "tms:forbidden")
    assert problem_of(watcher.send("DELETE", "/correlation")) == (403, "tms:forbidden")


@pytest.mark.parametrize(("field", "value"), [("small_pct", 101), ("least", 1), ("within_s", 0), ("enabled", "maybe")])
def test_invalid_settings_are_reported_by_field(editor, field, value):
    assert invalid_fields(editor.send("PUT", "/correlation/site", SETTINGS | {field: value})) == [f"$.{field}"]
    assert not CorrelationRule.objects.exists()


def test_an_unknown_factor_is_refused(editor):
    assert editor.send("PUT", "/correlation/weather", SETTINGS).status_code in (404, 422)
