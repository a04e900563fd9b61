"""People link their own account to a provider, and unlink it."""

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from tests.support import people
from tests.support.accounts.provider_steps import leave
from tests.support.servers.identity_provider import Visitor
from tms.accounts.models import AuditEntry, Grant, GroupMapping, Identity, IdentityProvider, User
from tms.accounts.roles import built_in

pytestmark = [pytest.mark.both, pytest.mark.django_db]
LINK, UNLINK = "/me/providers/company/link/", "/me/providers/company/unlink/"


@pytest.fixture
def mori(db) -> User:
    return people.person("mori", of=None, password="watch-the-7-gates", email="mori@noc.example")


@pytest.fixture
def browser(mori) -> Client:
    return people.signed_in(mori)


def link(browser: Client, name: str = "keiko") -> Any:
    return browser.get(Visitor().sign_in(leave(browser, LINK), name))


def test_a_person_links_their_account_and_holds_what_their_groups_give(company, mori, browser):
    GroupMapping.objects.create(provider=company, value="noc", role=built_in("Operator"), region="Kansai")
    before = browser.get("/me/security/").content.decode()

    answer = link(browser)

    after = browser.get(answer["Location"]).content.decode()
    assert (answer["Location"], Identity.objects.get().person) == ("/me/security/", mori)
    assert ("not linked" in before, "not linked" in after, UNLINK in after) == (True, False, True)
    assert [str(grant.role) for grant in mori.grants.all()] == ["Operator"]
    assert AuditEntry.objects.get(action="identity-linked").actor_name == "mori"
    assert User.objects.count() == 1
    assert browser.get("/me/").status_code == 200


def test_the_provider_is_asked_to_sign_the_person_in_again(company, browser):
    assert "prompt=login" in leave(browser, LINK)


@pytest.mark.parametrize(("age_s", "is_linked"), [(None, False), (86_400, False), (10, True)])
def test_a_link_needs_a_new_sign_in_at_the_provider(hostile, mori, browser, age_s, is_linked):
    """It may have remembered the person who used this computer before."""
    sent = parse_qs(urlsplit(leave(browser, LINK)).query)
    at = None if age_s is None else int(time.time()) - age_s
    hostile.answers["/token"] = {"id_token": hostile.id_token(sent["nonce"][0], auth_time=at)}

    answer = browser.get("/sign-in/provider/company/callback/", {"code": "c", "state": sent["state"][0]})

    assert answer.status_code == (302 if is_linked else 403)
    assert Identity.objects.exists() == is_linked


def test_a_link_needs_a_recent_sign_in(company, browser):
    session = browser.session
    session["account_authentication_methods"][-1]["at"] = 0
    session.save()

    answers = [browser.post(LINK), browser.post(UNLINK)]

    assert all(answer["Location"].startswith("/me/confirm/") for answer in answers)


def test_an_account_of_another_person_is_not_linked(company, browser):
    other = people.person("keiko", of=None)
    Identity.objects.create(provider=company, person=other, issuer=company.issuer, subject="keiko")

    answer = link(browser)

    assert answer.status_code == 403
    assert "another account in TMS" in answer.content.decode()
    assert Identity.objects.get().person == other


def test_a_second_account_at_the_same_provider_is_not_linked(company, server, mori, browser):
    server.put("other", email="other@noc.example")
    link(browser)

    answer = link(browser, "other")

    assert answer.status_code == 403
    assert Identity.objects.get(person=mori).subject == "keiko"


def test_a_response_that_comes_after_signing_out_links_nothing(company, browser):
    back = Visitor().sign_in(leave(browser, LINK), "keiko")
    browser.post("/sign-out/")

    assert browser.get(back).status_code == 400
    assert not Identity.objects.exists()


def test_a_break_glass_account_is_not_linked(company, mori, browser, settings):
    settings.BREAK_GLASS = ("mori",)

    assert browser.post(LINK).status_code == 404
    assert LINK not in browser.get("/me/security/").content.decode()


def test_unlinking_withdraws_grants_and_ends_sessions_that_began_there(company, mori, browser):
    GroupMapping.objects.create(provider=company, value="noc", role=built_in("Operator"))
    link(browser)
    there = Client()
    there.get(Visitor().sign_in(leave(there), "keiko"))
    asked = browser.get(UNLINK).content.decode()

    answer = browser.post(UNLINK)

    assert answer["Location"] == "/me/security/"
    assert "1 grant that follows from your groups there is withdrawn." in asked
    assert not Identity.objects.exists()
    assert not Grant.objects.exists()
    assert there.get("/me/")["Location"].startswith("/sign-in/")
    assert browser.get("/me/").status_code == 200
    entry = AuditEntry.objects.get(action="identity-unlinked")
    assert entry.changes == {"provider": ["Company account", None], "subject": ["keiko", None]}


def test_a_session_that_began_there_ends_with_it(company, mori, browser):
    link(browser)
    there = Client()
    there.get(Visitor().sign_in(leave(there), "keiko"))

    answer = there.post(UNLINK)

    assert answer.status_code == 302
    assert there.get("/me/")["Location"].startswith("/sign-in/")


def test_the_last_administrator_stays_linked_to_the_provider_whose_groups_make_them_one(company, mori, browser):
    GroupMapping.objects.create(provider=company, value="noc", role=built_in("Administrator"))
    link(browser)
    there = Client()
    there.get(Visitor().sign_in(leave(there), "keiko"))

    answer = there.post(UNLINK)

    assert answer.status_code == 422
    assert "At least one person must manage people everywhere" in answer.content.decode()
    assert (Identity.objects.get().person, mori.grants.count()) == (mori, 1)
    assert there.get("/me/").status_code == 200


def passkey(person: User) -> None:
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone"})


def other_provider(person: User) -> None:
    other = IdentityProvider.objects.create(name="Partner", slug="partner", issuer="https://p.example", client_id="tms")
    Identity.objects.create(provider=other, person=person, issuer=other.issuer, subject="m")


WAYS = {
    "none": (lambda person: None, 409),
    "a passkey": (passkey, 302),
    "another provider": (other_provider, 302),
    "a disabled provider": (lambda person: (other_provider(person), disable_other()), 409),
}


def disable_other() -> None:
    IdentityProvider.objects.filter(slug="partner").update(is_enabled=False)


@pytest.mark.parametrize(("add", "status"), WAYS.values(), ids=WAYS)
def test_the_only_way_in_is_not_unlinked(company, mori, add, status):
    Identity.objects.create(provider=company, person=mori, issuer=company.issuer, subject="keiko")
    add(mori)
    mori.set_unusable_password()
    mori.save()

    answer = people.signed_in(mori).post(UNLINK)

    assert answer.status_code == status
    assert Identity.objects.filter(provider=company).exists() == (status == 409)


@pytest.mark.parametrize("is_verified", [True, False])
def test_an_address_that_the_provider_gave_unverified_goes_with_it(company, mori, is_verified):
    """It would look like one of TMS, and link the account to another person at another provider."""
    User.objects.update(is_name_verified=is_verified)
    Identity.objects.create(provider=company, person=mori, issuer=company.issuer, subject="keiko", is_provisioned=True)

    people.signed_in(mori).post(UNLINK)

    mori.refresh_from_db()
    assert mori.email == ("mori@noc.example" if is_verified else "")
    assert mori.is_name_verified == is_verified
