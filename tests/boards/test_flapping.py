"""How a person sees that an alert flaps."""

import pytest

from tests.support import factories
from tests.support.factories import now
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Rule
from tms.alerts.rule_editing.yaml_file import entry_of

pytestmark = pytest.mark.both


def test_a_row_tells_that_it_flaps_and_how_it_stands_just_now(page, fleet):
    alert = factories.flapping(fleet)
    before = page("/alerts/").text(f"alert-{alert.pk}")

    factories.resolved(alert)

    after = page("/alerts/").text(f"alert-{alert.pk}")
    assert "flapping, 7 changes currently failing" in before
    assert "flapping, 8 changes currently normal" in after
    assert Alert.objects.unresolved().get() == alert


def test_what_flaps_has_its_view(page, fleet, tanaka):
    alert, steady = factories.flapping(fleet), factories.alert(fleet)
    factories.acknowledged(alert, by=tanaka)

    seen = page("/alerts/?flapping=1")

    assert seen.rows("alert-") == [f"alert-{alert.pk}"]
    assert seen.text("count-flapping") == "1"
    assert f"alert-{steady.pk}" not in seen.ids


def test_the_history_tells_when_it_began_and_when_it_was_calm(page, fleet):
    alert = factories.flapping(fleet)

    lifecycle.expire_flapping(now(7200))

    seen = page(f"/alerts/{alert.pk}/")
    assert "Flapping stopped" in seen.text("transition-2")
    assert "Flapping started" in seen.text("transition-1")
    assert "flapping," not in seen.text(f"alert-{alert.pk}")
    assert "Flapping started" in page(f"/terminals/{alert.terminal.uid}/").html


def test_whoever_edits_rules_may_have_an_alert_each_time(page, browser, fleet, tanaka):
    tanaka.is_staff = tanaka.is_superuser = True
    tanaka.save()
    form = {"name": "Hot", "metric": "cpu_pct", "warning": "60", "hours": "always", "watches_flapping": "False"}

    browser.post("/rules/new/above/", form)

    rule = Rule.objects.get(name="Hot")
    assert not rule.watches_flapping
    assert not entry_of(rule).watches_flapping
    assert "even while flapping" in page(f"/rules/{rule.pk}/").html
