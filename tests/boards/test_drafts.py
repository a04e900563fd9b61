"""Drafts of forms: what the server says of them, and the way back to a form after a sign-in."""

import pytest
from django.test import Client

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
