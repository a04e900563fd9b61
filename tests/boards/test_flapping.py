"""How flapping is shown."""

import pytest

from tests.support import factories
from tests.support.factories import now
from tests.support.people import make_superuser
from tms.alerts import lifecycle
from tms.alerts.models import Alert, Rule
from tms.alerts.rule_editing.yaml_file import entry_of

pytestmark = pytest.mark.both


def test_a_row_shows_that_it_flaps_and_its_present_condition(page, fleet):
    alert = factories.flapping(fleet)
    before = page("/alerts/").text(f"alert-{alert.pk}")

    factories.resolved(alert)

    after = page("/alerts/").text(f"alert-{alert.pk}")
    assert "flapping, 7 changes currently failing" in before
    assert "flapping, 8 changes currently normal" in after
    assert Alert.objects.unresolved().get() == alert


def test_flapping_alerts_have_their_own_view(page, fleet, tanaka):
    alert, steady = factories.flapping(fleet), factories.alert(fleet)
    factories.acknowledged(alert, by=tanaka)

    seen = page("/alerts/?flapping=1")

    assert seen.rows("alert-") == [f"alert-{alert.pk}"]
    assert seen.text("count-flapping") == "1"
    assert f"alert-{steady.pk}" not in seen.ids


def test_the_history_shows_when_flapping_began_and_stopped(page, fleet):
    alert = factories.flapping(fleet)

    lifecycle.expire_flapping(now(7200))

    seen = page(f"/alerts/{alert.pk}/")
    assert "Flapping stopped" in seen.text("transition-2")
    assert "Flapping started" in seen.text("transition-1")
    assert "flapping," not in seen.text(f"alert-{alert.pk}")
    assert "Flapping started" in page(f"/terminals/{alert.terminal.uid}/").html


def test_editors_of_rules_may_opt_out_of_flapping(page, browser, fleet, tanaka):
    make_superuser(tanaka)
    form = {"name": "Hot", "metric": "cpu_pct", "warning": "60", "hours": "always", "watches_flapping": "False"}

    browser.post("/rules/new/above/", form)

    rule = Rule.objects.get(name="Hot")
    assert not rule.watches_flapping
    assert not entry_of(rule).watches_flapping
    assert "even while flapping" in page(f"/rules/{rule.pk}/").html
