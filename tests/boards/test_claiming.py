"""Claiming from a page: one click, no dialog, and a separate page without JavaScript."""

import pytest

from tests.support import factories
from tests.support.pages import HTMX_HEADERS
from tms.alerts.models import Alert

pytestmark = pytest.mark.both


@pytest.fixture
def alert(fleet) -> Alert:
    return factories.alert(fleet)


def test_one_click_claims_and_returns_the_row_of_the_page(browser, alert, tanaka):
    headers = HTMX_HEADERS | {"HX-Current-URL": "http://testserver/alerts/"}

    answer = browser.post(f"/alerts/{alert.pk}/claim/", headers=headers)

    alert.refresh_from_db()
    assert (answer.status_code, alert.claimed_by) == (200, tanaka)
    assert "claimed," in answer.content.decode()
    assert f'id="alert-{alert.pk}"' in answer.content.decode()


def test_without_javascript_a_page_asks_for_confirmation_without_fields(browser, page, alert, tanaka):
    asked = page(f"/alerts/{alert.pk}/claim/")
    answer = browser.post(f"/alerts/{alert.pk}/claim/")

    alert.refresh_from_db()
    assert "textarea" not in [tag for tag, _ in asked.elements]
    assert "Shows everyone for ten minutes" in asked.html
    assert (answer.status_code, answer["Location"]) == (302, alert.get_absolute_url())
    assert alert.claimed_by == tanaka


def test_a_claim_is_ended_on_the_page_of_the_alert(browser, page, alert):
    browser.post(f"/alerts/{alert.pk}/claim/")
    offered = page(alert.get_absolute_url()).links()

    browser.post(f"/alerts/{alert.pk}/unclaim/")

    assert f"/alerts/{alert.pk}/unclaim/" in offered
    assert f"/alerts/{alert.pk}/unclaim/" not in page(alert.get_absolute_url()).links()
    assert "Claim ended" in page(alert.get_absolute_url()).html


def test_many_are_claimed_at_once(browser, fleet, tanaka):
    alerts = [factories.alert(fleet) for _ in range(3)]

    browser.post("/alerts/claim/", {"alert": [alert.pk for alert in alerts]})

    assert Alert.objects.claimed().filter(claimed_by=tanaka).count() == 3


def test_acknowledged_alerts_cannot_be_claimed(browser, alert, sato):
    factories.acknowledged(alert, by=sato)

    answer = browser.post(f"/alerts/{alert.pk}/claim/")

    assert answer.status_code == 409
    assert "This action does not apply in the current state." in answer.content.decode()
