"""Sign in with OpenID Connect at a real provider, oidc-provider."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from tests.support import people
from tests.support.accounts.provider_steps import leave
from tests.support.servers.identity_provider import Visitor
from tms.accounts.models import AuditEntry, GroupMapping, Identity, ProviderSession, User
from tms.accounts.roles import built_in
from tms.accounts.sessions.store import stored_key

pytestmark = [pytest.mark.both, pytest.mark.django_db]


def sign_in(browser: Client, name: str = "keiko", **fields: str) -> Any:
    return browser.get(Visitor().sign_in(leave(browser, **fields), name))


def signed_in_person(browser: Client) -> str | None:
    pk = browser.session.get("_auth_user_id")
    return User.objects.get(pk=pk).username if pk else None


def test_a_person_signs_in_and_holds_what_their_groups_give(company):
    company.email_domains = "noc.example"
    company.save()
    GroupMapping.objects.create(provider=company, value="noc", role=built_in("Operator"), region="Kansai")
    browser = Client()

    answer = sign_in(browser, next="/alerts/")

    assert (answer.status_code, answer["Location"]) == (302, "/alerts/")
    keiko = User.objects.get(username="keiko@noc.example")
    assert signed_in_person(browser) == "keiko@noc.example"
    assert [(grant.role.name, grant.scope_name) for grant in keiko.grants.all()] == [("Operator", "Kansai")]
    assert ProviderSession.objects.get(session_key=stored_key(browser.session.session_key)).sid
    entry = AuditEntry.objects.get(action="signed-in")
    assert entry.subject_name == "keiko@noc.example"
    assert entry.changes == {"provider": [None, "Company account"], "factors": [None, "identity_provider"]}


def test_the_request_proves_itself_with_state_nonce_and_pkce(company):
    sent = parse_qs(urlsplit(leave(Client())).query)

    assert (sent["response_type"], sent["code_challenge_method"], sent["scope"]) == (
        ["code"],
        ["S256"],
        ["openid profile email groups"],
    )
    assert all(len(sent[name][0]) >= 40 for name in ("state", "nonce", "code_challenge"))


def test_a_response_counts_once_and_only_in_the_browser_that_asked(company):
    browser, other = Client(), Client()
    back = Visitor().sign_in(leave(browser), "keiko")

    stolen = other.get(back)
    first = browser.get(back)
    browser.logout()
    second = browser.get(back)

    assert (stolen.status_code, first.status_code, second.status_code) == (400, 302, 400)
    assert (signed_in_person(other), signed_in_person(browser)) == (None, None)


def test_the_session_of_a_visitor_lasts_as_long_as_a_sign_in_takes(company, settings):
    browser = Client()
    leave(browser)
    visiting = browser.session.get_expiry_age()

    sign_in(browser)

    assert visiting <= 600
    assert 600 < browser.session.get_expiry_age() <= settings.SESSION_COOKIE_AGE


def test_who_is_refused_at_the_provider_sees_why(company):
    browser = Client()

    answer = sign_in(browser, "nobody")

    assert answer.status_code == 400
    assert "access_denied" in answer.content.decode()
    assert signed_in_person(browser) is None
    assert AuditEntry.objects.get(action="sign-in-failed").changes["reason"] == [None, "provider-failed"]


@pytest.mark.parametrize(
    ("policy", "claims", "is_asked"),
    [
        ("never", {"amr": ["mfa"]}, True),
        ("claimed", {"amr": ["pwd"]}, True),
        ("claimed", {"amr": ["pwd", "otp"]}, False),
        ("always", {}, False),
    ],
)
def test_the_second_factor_of_the_provider_counts_as_its_policy_says(
    company, server, settings, policy, claims, is_asked
):
    settings.SECOND_FACTOR, settings.SECOND_FACTOR_GRACE_DAYS = "everyone", 0
    company.factor_policy = policy
    company.save()
    server.put("mori", email="mori@noc.example", email_verified=True, **claims)
    browser = Client()

    sign_in(browser, "mori")

    assert browser.session.get("must_set_up_factor", False) == is_asked


@pytest.mark.parametrize(("who", "page"), [("nobody", "/me/tokens/new/"), ("everyone", "/me/security/passkey/")])
def test_a_person_confirms_at_the_provider_that_it_is_them(company, settings, who, page):
    """The provider asks them even before they set up the second factor that they must have."""
    settings.SECOND_FACTOR, settings.SECOND_FACTOR_GRACE_DAYS = who, 0
    browser = Client()
    sign_in(browser)
    session = browser.session
    session["account_authentication_methods"][-1]["at"] = 0
    session.save()
    address = leave(browser, next=page)
    asked = browser.get(page)

    confirmed = browser.get(Visitor().sign_in(address, "keiko"))
    after = browser.get(page)

    assert asked["Location"].startswith("/me/confirm/")
    assert (confirmed["Location"], after.status_code) == (page, 200)


@pytest.mark.parametrize(("claims", "location"), [({}, None), ({"amr": ["otp"]}, "/me/tokens/new/")])
def test_people_with_a_second_factor_confirm_with_one_at_the_provider_too(company, server, claims, location):
    company.factor_policy = "claimed"
    company.save()
    server.put("mori", email="mori@noc.example", email_verified=True, amr=["otp"])
    browser = Client()
    sign_in(browser, "mori")
    Authenticator.objects.create(user=User.objects.get(), type=Authenticator.Type.TOTP, data={})
    server.put("mori", email="mori@noc.example", email_verified=True, **claims)

    confirmed = browser.get(Visitor().sign_in(leave(browser, next="/me/tokens/new/"), "mori"))

    assert confirmed.get("Location") == location
    assert confirmed.status_code == (302 if location else 403)


def test_another_person_does_not_confirm(company, server):
    server.put("mori", email="mori@noc.example")
    browser = Client()
    sign_in(browser)

    answer = browser.get(Visitor().sign_in(leave(browser, next="/"), "mori"))

    assert answer.status_code == 403
    assert AuditEntry.objects.get(action="sign-in-failed").changes["reason"] == [None, "other-person"]


def test_a_test_sign_in_shows_claims_and_grants_and_stores_nothing(company, server):
    GroupMapping.objects.create(provider=company, value="noc", role=built_in("Operator"))
    browser = people.signed_in(people.make_superuser(people.person("boss")))
    address = leave(browser, f"/people/identity-providers/{company.pk}/test/")

    answer = browser.get(Visitor().sign_in(address, "keiko"))

    page = answer.content.decode()
    assert answer.status_code == 200
    assert all(text in page for text in ("keiko@noc.example", "Operator", "tea", "email_verified"))
    assert signed_in_person(browser) == "boss"
    assert AuditEntry.objects.get(action="sign-in-tested").actor_name == "boss"
    assert not Identity.objects.exists()
    assert not User.objects.filter(username="keiko@noc.example").exists()


def test_the_check_passes_each_step(company):
    browser = people.signed_in(people.make_superuser(people.person("boss")))

    page = browser.post(f"/people/identity-providers/{company.pk}/check/").content.decode()

    assert "The provider answers as expected" in page
    assert page.count('data-outcome="done"') == 8
