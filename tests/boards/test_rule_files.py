"""Export and import of rules on pages."""

import html

import pytest
from django.core.files.base import ContentFile

from tests.support.pages import HtmlPage
from tests.support.people import make_superuser
from tms.alerts.models import Rule

pytestmark = pytest.mark.both


@pytest.fixture
def tanaka(tanaka):
    """An editor of rules."""
    return make_superuser(tanaka)


@pytest.fixture
def rule(fleet) -> Rule:
    return fleet.metric_rule(limit=60, severity="warning", higher_thresholds=[{"severity": "critical", "limit": 75}])


def test_the_rules_are_exported_and_imported_without_a_change(browser, rule):
    text = browser.get("/rules/export/").content.decode()

    plan = HtmlPage(browser.post("/rules/import/", {"text": text}))

    assert "thresholds:" in text
    assert "unchanged" in plan.html


def test_a_file_is_previewed_before_it_is_imported(browser, rule):
    text = browser.get("/rules/export/").content.decode().replace("limit: 60", "limit: 65")
    plan = HtmlPage(browser.post("/rules/import/", {"file": ContentFile(text.encode(), name="rules.yaml")}))
    limit_when_looked_at = Rule.objects.get().limit

    browser.post("/rules/import/", {"text": text, "sure": "1"})

    assert "limit" in plan.html
    assert text.splitlines()[1] in html.unescape(plan.html)
    assert (limit_when_looked_at, Rule.objects.get().limit) == (60, 65)


def test_errors_of_a_file_are_shown_by_line(browser, rule):
    answer = browser.post("/rules/import/", {"text": "rules:\n- name: x\n  knd: metric\n", "sure": "1"})

    assert answer.status_code == 422
    assert "line 2: rules[0]" in answer.content.decode()
