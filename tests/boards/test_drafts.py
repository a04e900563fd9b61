"""Drafts of forms: what the server says of them, and the way back to a form after a sign-in."""

import pytest
from django.test import Client

from tests.support import factories
from tests.support.pages import HTMX_HEADERS

pytestmark = pytest.mark.both
TOKEN = "0123456789abcdef" * 2
NOTE = {"text": "Router replaced", "_draft": TOKEN}


@pytest.mark.parametrize(("change", "sent"), [({}, TOKEN), ({"text": ""}, None), ({"_draft": "<x>"}, None)])
def test_a_draft_is_named_once_its_form_was_accepted(browser, change, sent):
    answer = browser.post("/digest/notes/", NOTE | change)

    cookie = answer.cookies.get("tms_draft_sent")
    assert (cookie.value if cookie else None) == sent


@pytest.mark.parametrize(
    ("referer", "back"),
    [
        ("http://testserver/digest/?span=8h", "http%3A//testserver/digest/%3Fspan%3D8h%23draft"),
        ("https://elsewhere.example/digest/", "/"),
        ("", "/"),
    ],
)
def test_a_form_of_an_ended_session_leads_back_to_its_page(db, referer, back):
    refused = Client().post("/digest/notes/", NOTE, headers={"Referer": referer})

    assert refused["Location"] == f"/sign-in/?next={back}"
    assert "tms_draft_sent" not in refused.cookies


@pytest.mark.parametrize(
    ("address", "restores"),
    [
        ("/alerts/{alert}/acknowledge/", True),
        ("/alerts/{alert}/comment/", True),
        ("/incidents/{incident}/snooze/", True),
        ("/alerts/assign/?alert={alert}", False),
        ("/incidents/acknowledge/?incident={incident}", False),
    ],
)
@pytest.mark.parametrize("headers", [{}, HTMX_HEADERS])
def test_the_comment_of_an_action_has_a_draft(browser, fleet, address, restores, headers):
    """Restored at once if it is about one alert or incident; of several, other ones may be selected by now."""
    numbers = {"alert": factories.alert(fleet).pk, "incident": factories.incident(fleet, "OSK").pk}

    html = browser.get(address.format(**numbers), headers=headers).content.decode()

    assert 'data-draft="comment"' in html
    assert "data-draft-offer" in html
    assert ("data-restores" in html) is restores
