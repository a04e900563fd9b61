"""The pages on which administrators set up identity providers."""

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client

from tests.support import people
from tms.accounts.identity_providers.administration import services
from tms.accounts.models import (
    AuditEntry,
    Grant,
    GroupMapping,
    Identity,
    IdentityProvider,
    ProviderSession,
    Role,
    User,
)
from tms.accounts.roles import built_in
from tms.accounts.sessions.store import stored_key
from tms.lib.outgoing import ssrf_guard

pytestmark = [pytest.mark.both, pytest.mark.django_db]
FORM = {
    "name": "Company account",
    "slug": "company",
    "issuer": "https://login.example.invalid/realms/noc",
    "client_id": "tms",
    "client_auth": "secret",
    "client_secret": "s3cret-of-the-client",
    "scopes": "openid email",
    "groups_claim": "groups",
    "factor_policy": "never",
}


@pytest.fixture
def boss(fleet) -> User:
    boss = people.person("boss", of=None)
    people.grant(boss, "Administrator")
    return boss


@pytest.fixture
def browser(boss) -> Client:
    return people.signed_in(boss)


def test_a_provider_is_created_with_an_encrypted_secret(browser):
    answer = browser.post("/people/identity-providers/new/", FORM)

    provider = IdentityProvider.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/people/identity-providers/{provider.pk}/")
    assert provider.client_secret == FORM["client_secret"]
    assert FORM["client_secret"] not in provider.encrypted_secrets
    entry = AuditEntry.objects.get(action="created", subject_type="accounts.identityprovider")
    assert (entry.actor_name, entry.changes["encrypted_secrets"][1]) == ("boss", "•••")
    page = browser.get(answer["Location"]).content.decode()
    assert "http://testserver/sign-in/provider/company/callback/" in page
    assert "http://testserver/providers/company/logout/" in page
    assert FORM["client_secret"] not in page


@pytest.mark.parametrize(
    ("changes", "secret"),
    [
        ({"name": "Renamed"}, "s3cret-of-the-client"),
        ({"client_secret": "another"}, "another"),
        ({"issuer": "https://other.example.invalid"}, ""),
        ({"client_id": "other"}, ""),
    ],
)
def test_a_stored_secret_stays_until_another_is_entered_and_goes_to_no_other_provider(browser, changes, secret):
    browser.post("/people/identity-providers/new/", FORM)
    provider = IdentityProvider.objects.get()

    browser.post(f"/people/identity-providers/{provider.pk}/", {**FORM, "client_secret": "", **changes})

    provider.refresh_from_db()
    assert provider.client_secret == secret


def stored() -> list[Any]:
    return list(IdentityProvider.objects.values_list("is_enabled", "encrypted_secrets"))


@pytest.mark.parametrize("change", [services.disable, services.renew_key, services.delete])
def test_what_changes_while_a_form_is_checked_is_not_reverted(browser, provider, monkeypatch, change):
    """The host of the issuer is looked up, which takes seconds."""
    expected: list[Any] = []

    def look_up(*_: Any) -> str:
        change(provider)
        expected[:] = stored()
        return ""

    monkeypatch.setattr(ssrf_guard, "refused_address", look_up)
    sent = {**FORM, "name": "Renamed", "issuer": provider.issuer, "client_secret": ""}

    browser.post(f"/people/identity-providers/{provider.pk}/", sent)

    assert stored() == expected
    assert all(row.name == "Renamed" for row in IdentityProvider.objects.all())


WRONG = {
    "no https": ({"issuer": "ftp://login.example.invalid"}, "must begin with https"),
    "no URL": ({"issuer": "login"}, "Not a valid URL"),
    "a query": ({"issuer": "https://login.example.invalid/?x=1"}, "no query"),
    "a private address": ({"issuer": "https://127.0.0.1"}, "TMS_INSIDE_DESTINATIONS"),
    "without openid": ({"scopes": "email"}, "The scope openid is needed"),
    "linking any address": ({"links_by_email": "on"}, "Name the domains"),
    "no short name": ({"slug": "a b"}, "slug"),
}


@pytest.mark.parametrize(("changes", "text"), WRONG.values(), ids=WRONG)
def test_a_wrong_setting_is_refused_with_the_reason(browser, changes, text):
    answer = browser.post("/people/identity-providers/new/", FORM | changes)

    assert answer.status_code == 422
    assert text in answer.content.decode()
    assert not IdentityProvider.objects.exists()


def test_a_group_is_mapped_to_what_the_editor_holds(browser, provider):
    address = f"/people/identity-providers/{provider.pk}/mappings/"
    Role.objects.create(name="Setter", permissions=["edit_providers", "manage_people", "handle_alerts"])
    setter = people.person("setter", of=None)
    Grant.objects.create(person=setter, role=Role.objects.get(name="Setter"))
    asked = {"value": "noc", "role": built_in("Administrator").pk, "scope": "everything"}

    refused = people.signed_in(setter).post(address, asked)
    accepted = browser.post(address, asked)
    browser.post(address, asked)

    assert (refused.status_code, accepted.status_code) == (422, 302)
    assert [str(mapping) for mapping in provider.mappings.all()] == ["noc: Administrator (everything)"]
    assert AuditEntry.objects.filter(action="changed").count() == 1


def test_only_who_may_change_providers_everywhere_sees_them(provider, fleet):
    fleet.site("UMD", region="Kansai")
    regional = people.person("regional", of=None)
    people.grant(regional, "Administrator", region="Kansai")
    browser = people.signed_in(regional)

    answers = [browser.get("/people/identity-providers/"), browser.get(f"/people/identity-providers/{provider.pk}/")]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert "/people/identity-providers/" not in browser.get("/people/").content.decode()


def linked(provider: IdentityProvider) -> Client:
    """A person who signed in at the provider and holds a grant of its groups."""
    keiko = User.objects.create(username="keiko", password="!")
    identity = Identity.objects.create(provider=provider, person=keiko, issuer=provider.issuer, subject="k")
    Grant.objects.create(person=keiko, role=built_in("Viewer"), provider=provider)
    browser = people.signed_in(keiko)
    key = stored_key(browser.session.session_key)
    UserSession.objects.create(user=keiko, session_key=key, ip="10.0.0.1", user_agent="")
    ProviderSession.objects.create(session_key=key, identity=identity)
    return browser


@pytest.fixture
def setter(fleet) -> Client:
    """May set up providers, and does nothing else."""
    made = people.person("setter", of=None)
    Grant.objects.create(person=made, role=Role.objects.create(name="Setter", permissions=["edit_providers"]))
    return people.signed_in(made)


def mapped(provider: IdentityProvider) -> None:
    GroupMapping.objects.create(provider=provider, value="noc", role=built_in("Operator"))


def linked_operator(provider: IdentityProvider) -> None:
    linked(provider)
    people.grant(User.objects.get(username="keiko"), "Operator")


def linked_superuser(provider: IdentityProvider) -> None:
    linked(provider)
    people.make_superuser(User.objects.get(username="keiko"))


@pytest.mark.parametrize(
    ("begin", "changes", "status"),
    [
        (linked, {}, 302),
        (mapped, {}, 422),
        (mapped, {"issuer": "https://login.example", "name": "Renamed"}, 302),
        (linked_operator, {}, 422),
        (linked_superuser, {}, 422),
        (linked, {"links_by_email": "on", "email_domains": "noc.example"}, 422),
    ],
    ids=["viewers", "a group", "a name", "an operator", "a superuser", "everybody by their address"],
)
def test_who_changes_where_people_sign_in_must_hold_what_they_hold(setter, boss, provider, begin, changes, status):
    """Otherwise they could sign in as one of them, at a provider of their own."""
    begin(provider)
    sent = {name: getattr(provider, name) or "" for name in FORM} | {"creates_people": "on"}

    answer = setter.post(
        f"/people/identity-providers/{provider.pk}/", {**sent, "issuer": "https://evil.example.invalid", **changes}
    )

    provider.refresh_from_db()
    assert answer.status_code == status
    assert (provider.issuer == "https://login.example") is ("name" in changes or status == 422)


def test_what_people_hold_does_not_matter_at_a_new_provider(setter):
    """Nobody signs in there yet, also not those without an identity at any provider."""
    people.make_superuser(people.person("root"))

    assert setter.post("/people/identity-providers/new/", FORM).status_code == 302


def test_disabling_ends_sessions_and_deleting_withdraws_grants_after_saying_so(browser, provider):
    GroupMapping.objects.create(provider=provider, value="noc", role=built_in("Viewer"))
    of_keiko = linked(provider)
    address = f"/people/identity-providers/{provider.pk}/"

    asked = browser.get(f"{address}delete/").content.decode()
    browser.post(f"{address}disable/")
    after_disabling = (of_keiko.get("/help/").status_code, Grant.objects.filter(provider=provider).count())
    offered = Client().get("/sign-in/").content.decode()
    browser.post(f"{address}enable/")
    offered_again = Client().get("/sign-in/").content.decode()
    browser.post(f"{address}delete/")

    assert "1 person can no longer sign in there. 1 of them has no password in TMS." in asked
    assert "1 grant from its groups is withdrawn." in asked
    assert "1 session that began there ends now" in asked
    assert after_disabling == (302, 1)
    assert ("Company account" in offered, "Company account" in offered_again) == (False, True)
    assert not IdentityProvider.objects.exists()
    assert not Grant.objects.filter(person__username="keiko").exists()
    actions = AuditEntry.objects.filter(subject_type="accounts.identityprovider").order_by("pk")
    assert list(actions.values_list("action", flat=True)) == ["disabled", "enabled", "deleted"]
    assert AuditEntry.objects.filter(action="withdrawn").exists()


def test_a_provider_whose_groups_make_the_last_administrator_is_not_deleted(browser, boss, provider):
    Grant.objects.filter(person=boss).update(provider=provider)
    address = f"/people/identity-providers/{provider.pk}/delete/"

    refused = browser.post(address)
    people.grant(people.person("mori", of=None), "Administrator")
    accepted = browser.post(address)

    assert "At least one person must manage people everywhere" in refused.content.decode()
    assert (refused.status_code, accepted.status_code) == (422, 302)


def test_a_provider_that_does_not_answer_fails_the_check(browser, provider):
    provider.issuer = "https://login.example.invalid"
    provider.save()

    page = browser.post(f"/people/identity-providers/{provider.pk}/check/").content.decode()

    assert "The check failed" in page
    assert AuditEntry.objects.get(action="checked").changes == {"failed": [None, ["Discovery document"]]}


def test_the_list_of_people_says_where_they_sign_in(browser, provider):
    provider.factor_policy = "claimed"
    provider.save()
    linked(provider)

    page = browser.get("/people/?q=keiko").content.decode()

    assert "Company account" in page
    assert "At the provider" in page


def test_each_row_says_how_many_people_use_a_provider(browser, provider):
    linked(provider)

    page = browser.get("/people/identity-providers/").content.decode()

    assert "1 person" in " ".join(page.split())
