"""When alerts fold, over the API."""

import pytest

from tests.api.conftest import problem, wrong
from tms.alerts.models import FoldRule

pytestmark = pytest.mark.both

FOLD = {"enabled": True, "within_s": 30, "least": 3, "small_pct": 75, "medium_pct": 40, "large_pct": 25}


def test_it_is_read_changed_and_set_back(editor):
    before = editor.get("/folding").json()
    changed = editor.send("PUT", "/folding/site", FOLD).json()
    needed = FoldRule.in_force()["site"].needed(8)
    reset = editor.send("DELETE", "/folding")

    assert [one["factor"] for one in before] == ["site", "group", "model", "firmware", "node"]
    assert all(one["is_default"] for one in before)
    assert changed == {"factor": "site", "is_default": False, **FOLD}
    assert (needed, reset.status_code) == (6, 204)
    assert editor.get("/folding").json() == before


def test_only_who_may_change_rules_changes_it(watcher):
    assert problem(watcher.send("PUT", "/folding/site", FOLD)) == (403, "tms:forbidden")
    assert problem(watcher.send("DELETE", "/folding")) == (403, "tms:forbidden")


@pytest.mark.parametrize(("field", "value"), [("small_pct", 101), ("least", 1), ("within_s", 0), ("enabled", "maybe")])
def test_what_makes_no_sense_is_told_by_its_field(editor, field, value):
    assert wrong(editor.send("PUT", "/folding/site", FOLD | {field: value})) == [f"$.{field}"]
    assert not FoldRule.objects.exists()


def test_a_factor_that_nobody_knows_is_refused(editor):
    assert editor.send("PUT", "/folding/weather", FOLD).status_code in (404, 422)
