"""What the page of an alert shows beside its state: chart, earlier occurrences, commands, rule and runbook."""

from datetime import timedelta

import pytest

from tests.support import factories
from tests.support.factories import now
from tms.boards.formatting import runbooks
from tms.commands.models import Command

pytestmark = pytest.mark.both


def test_earlier_occurrences_are_listed_with_what_helped(page, fleet, tanaka):
    rule, terminal = fleet.metric_rule(), fleet.terminal(uid="T-1")
    old = factories.alert(fleet, rule=rule, terminal=terminal, opened_at=now(-7200))
    factories.resolved(old, at=now(-3600))
    type(old).objects.filter(pk=old.pk).update(comment="Fan cleaned")
    Command.objects.create(
        terminal=terminal, name="reboot", created_at=now(-7000), deliver_before=now(), created_by=tanaka
    )
    alert = factories.alert(fleet, rule=rule, terminal=terminal, opened_at=now(-60))
    factories.alert(fleet, rule=rule, terminal=fleet.terminal(uid="T-2"))

    seen = page(f"/alerts/{alert.pk}/")

    assert "2 in 7 days, 2 in total" in seen.html
    assert "Fan cleaned" in seen.html
    assert "Restart" in seen.html or "Reboot" in seen.html
    assert f"/alerts/{old.pk}/" in seen.links()


def test_the_chart_covers_the_hour_before_and_after(browser, page, fleet):
    rule, terminal = fleet.metric_rule(), fleet.terminal(uid="T-1")
    alert = factories.alert(fleet, rule=rule, terminal=terminal, opened_at=now(-600))

    seen = page(f"/alerts/{alert.pk}/")
    series = browser.get(f"/alerts/{alert.pk}/series/").json()

    assert f"/alerts/{alert.pk}/series/" in seen.html
    assert list(series["limits"]) == [rule.metric]
    begin, end = series["presence"][0]["from"], series["presence"][-1]["to"]
    assert end - begin == timedelta(hours=2).total_seconds()


def test_the_runbook_of_the_rule_is_shown(page, fleet):
    rule = fleet.metric_rule(runbook="1. Call the **shop**\n2. `reboot`")
    alert = factories.alert(fleet, rule=rule)

    seen = page(f"/alerts/{alert.pk}/")

    assert "<li>Call the <strong>shop</strong></li>" in seen.html
    assert "<code>reboot</code>" in seen.html


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1))",
        '<img src=x onerror="alert(1)">',
        '<a href="https://a.example" onclick="alert(1)" style="color:red">x</a>',
        "<form action=/sign-out/><button>x</button></form>",
        "![x](https://a.example/pixel.png)",
        '<p id="nav-alerts" hx-get="/">x</p>',
    ],
)
def test_a_runbook_contains_nothing_active(text):
    html = runbooks.as_html(text)

    for word in ("script", "onerror", "onclick", "style=", "<form", "<button", "<img", "hx-", "id="):
        assert word not in html.replace("javascript:alert(1)", "script:" if "href" in html else "")


def test_a_url_becomes_a_link():
    assert 'href="https://wiki.example/heat"' in runbooks.as_html("https://wiki.example/heat")


@pytest.mark.parametrize(("comparison", "worst"), [("above", "97"), ("below", "91")])
def test_the_peak_is_the_worst_value_since_it_opened(page, fleet, comparison, worst):
    """The peak may be in an hour that is rolled up; before it opened, values may have been worse."""
    rule, terminal = fleet.metric_rule(comparison=comparison), fleet.terminal(uid="T-1")
    alert = factories.alert(fleet, rule=rule, terminal=terminal, opened_at=now(-9000))

    for seq, (ago, value) in enumerate(((9200, 99), (9100, 1), (8000, 97), (7000, 91), (60, 95))):
        factories.report(terminal, seq, at=now(-ago), metrics={rule.metric: value})

    seen = page(f"/alerts/{alert.pk}/")

    assert worst in seen.html.partition("Peak")[2].partition("</dl>")[0]
