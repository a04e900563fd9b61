"""What counts once counts once, also if a browser sends it several times at the same moment."""

from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client

from tests.support import people
from tests.support.accounts.provider_steps import leave
from tests.support.accounts.soft_passkey import SoftPasskey
from tests.support.threads import run_concurrently
from tms.accounts.models import AuditEntry

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]
AT_ONCE = 6


def send_at_once(browser: Client, method: str, address: str, fields: dict[str, str]) -> list[int]:
    """The statuses of the same request from several tabs of one browser."""

    def send(_: int) -> int:
        tab = Client()
        tab.defaults, tab.cookies = browser.defaults, browser.cookies.copy()
        return getattr(tab, method)(address, fields).status_code

    return run_concurrently(AT_ONCE, send)


def test_a_sign_in_at_a_provider_returns_once(hostile):
    """OpenID Connect and SAML remember begun sign-ins in the same way."""
    browser = Client()
    sent = parse_qs(urlsplit(leave(browser)).query)
    hostile.answers["/token"] = {"id_token": hostile.id_token(sent["nonce"][0])}

    statuses = send_at_once(
        browser, "get", "/sign-in/provider/company/callback/", {"code": "c", "state": sent["state"][0]}
    )

    assert sorted(statuses) == [302] + [400] * (AT_ONCE - 1)
    assert hostile.asked.count("/token") == 1


def test_a_challenge_of_a_passkey_is_answered_once():
    passkey, browser = SoftPasskey(), Client()
    browser.defaults["wsgi.url_scheme"] = "https"
    person = people.person("keiko")
    own = people.signed_in(person)
    own.defaults["wsgi.url_scheme"] = "https"
    made = passkey.make(own.post("/me/security/passkey/options/").json())
    own.post("/me/security/passkey/", {"name": "Laptop", "credential": made})
    answer = passkey.sign(browser.post("/sign-in/passkey/options/").json())

    before = AuditEntry.objects.filter(action="signed-in").count()

    send_at_once(browser, "post", "/sign-in/passkey/", {"credential": answer})

    assert AuditEntry.objects.filter(action="signed-in").count() == before + 1
