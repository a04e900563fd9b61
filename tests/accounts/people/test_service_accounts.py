"""Service accounts and their tokens, and the tokens of people."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from tests.support import people
from tests.support.pages import HtmlPage
from tms.accounts import api_tokens
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.display_names import colleagues
from tms.accounts.models import ApiToken, AuditEntry, Grant, Role, User
from tms.accounts.people import holdings
from tms.accounts.people.service_accounts import services
from tms.accounts.roles import built_in


@pytest.fixture
def export(boss) -> User:
    return services.create("Warehouse export", role=built_in("Viewer"), scope=GrantScope("Kansai"), by=boss)


def secret_in(answer) -> str:
    [found] = re.findall(r"tms_[\w-]{40,}", HtmlPage(answer).html)
    return found


def person_of(secret: str) -> User | None:
    token = api_tokens.find(secret, at=timezone.now())
    return token.person if token else None


def test_a_service_account_is_created_with_a_grant_and_gets_a_token(browser, kansai):
    sent = {"name": "Warehouse export", "role": built_in("Viewer").pk, "scope": "region:Kansai"}

    browser.post("/people/service-accounts/", sent)
    account = User.objects.get(is_service=True)
    answer = browser.post(f"/people/{account.pk}/tokens/", {"name": "production", "days": 30})

    assert person_of(secret_in(answer)) == account
    assert not account.has_usable_password()
    assert "Warehouse export Viewer Kansai 1 token" in HtmlPage(browser.get("/people/service-accounts/")).text("main")
    assert "Warehouse export" not in HtmlPage(browser.get("/people/")).text("results")
    again = browser.get(f"/people/{account.pk}/")
    assert "tms_" not in HtmlPage(again).html


def test_a_rotated_token_works_beside_the_new_one_for_a_while(browser, export):
    at = timezone.now()
    token, old = api_tokens.issue(export, name="production", at=at, expires_at=at + timedelta(days=90))

    new = secret_in(browser.post(f"/people/tokens/{token.pk}/rotate/"))

    assert person_of(old) == person_of(new) == export
    ends = dict(ApiToken.objects.values_list("digest", "expires_at"))
    token.refresh_from_db()
    assert token.expires_at < at + services.OVERLAP + timedelta(minutes=1)
    assert max(ends.values()) > at + timedelta(days=89)
    assert "rotated" in AuditEntry.objects.values_list("action", flat=True)


def test_a_revoked_token_ends_at_once(browser, export):
    token, secret = api_tokens.issue(export, name="production", at=timezone.now())

    browser.post(f"/people/tokens/{token.pk}/revoke/")

    assert person_of(secret) is None


def test_tokens_of_people_are_listed_and_revoked_but_not_rotated(browser):
    keiko = people.person("keiko", first_name="Keiko")
    token, secret = api_tokens.issue(keiko, name="script", at=timezone.now())

    assert "script Keiko" in HtmlPage(browser.get("/people/service-accounts/")).text("tokens")
    assert browser.post(f"/people/tokens/{token.pk}/rotate/").status_code == 404
    assert browser.post(f"/people/{keiko.pk}/tokens/", {"name": "x", "days": 1}).status_code == 403
    assert person_of(secret) == keiko
    browser.post(f"/people/tokens/{token.pk}/revoke/")
    assert person_of(secret) is None


def test_a_token_for_an_account_that_holds_more_is_refused(region_browser, export, boss):
    holdings.give(built_in("Viewer"), GrantScope(), to=export, by=boss)
    token, secret = api_tokens.issue(export, name="production", at=timezone.now())

    for path in (f"{export.pk}/tokens/", f"tokens/{token.pk}/rotate/", f"tokens/{token.pk}/revoke/"):
        assert region_browser.post(f"/people/{path}", {"name": "x", "days": 1}).status_code == 403
    assert person_of(secret) == export


@pytest.mark.parametrize("days", ["0", "-1", "99999", "x", ""])
def test_a_token_needs_a_bounded_lifetime(browser, export, days):
    assert browser.post(f"/people/{export.pk}/tokens/", {"name": "production", "days": days}).status_code == 422
    assert not ApiToken.objects.exists()


def test_a_service_account_cannot_be_chosen_as_a_colleague(browser, export):
    assert export not in colleagues()


def test_tokens_are_issued_and_revoked_where_the_permission_for_them_applies(kansai, export):
    """A person who manages people in Kansai, and tokens in Tokyo only."""
    partly = people.person("partly", of=None)
    for name, region in (("manage_people", "Kansai"), ("manage_tokens", "Tokyo")):
        Grant.objects.create(person=partly, role=Role.objects.create(name=name, permissions=[name]), region=region)
    token, _secret = api_tokens.issue(export, name="production", at=timezone.now())
    browser = people.signed_in(partly)

    sent = {"name": "mine", "days": 30}
    paths = (f"/people/{export.pk}/tokens/", f"/people/tokens/{token.pk}/rotate/", f"/people/tokens/{token.pk}/revoke/")
    answers = [browser.post(path, sent) for path in paths]

    assert browser.get(f"/people/{export.pk}/").status_code == 200
    assert [answer.status_code for answer in answers] == [403, 403, 403]
    assert list(ApiToken.objects.values_list("pk", "revoked_at")) == [(token.pk, None)]
