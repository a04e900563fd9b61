"""TMS as a client of a provider: how it proves who it is, and how it signs people out there."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest
from django.test import Client

from tests.support import people
from tests.support.accounts.provider_steps import leave, led_to
from tests.support.factories import now
from tests.support.servers.identity_provider import Visitor
from tms.accounts.identity_providers.oidc import client_key
from tms.accounts.identity_providers.oidc.metadata import directory
from tms.accounts.models import AuditEntry, ClientAuth, IdentityProvider, User

pytestmark = [pytest.mark.both, pytest.mark.django_db]


@pytest.fixture(scope="session")
def pems() -> list[str]:
    return [client_key.new_key() for _ in range(2)]


@pytest.fixture
def by_key(company, server, pems) -> IdentityProvider:
    """The provider knows TMS by its public keys."""
    company.client_auth = ClientAuth.PRIVATE_KEY
    company.client_secret = ""
    company.renew_private_key(pems[0])
    company.save()
    keys = Client().get("/providers/company/jwks/").json()
    company.client_id = server.register("http://testserver", jwks=keys).id
    company.save()
    return company


def sign_in(browser: Client) -> Any:
    return browser.get(Visitor().sign_in(leave(browser), "keiko"))


def test_a_person_signs_in_where_tms_proves_itself_with_a_key(by_key):
    assert sign_in(Client()).status_code == 302
    assert User.objects.filter(identities__subject="keiko").exists()


def test_another_key_is_not_accepted(by_key, pems):
    by_key.renew_private_key(pems[1])
    by_key.save()

    answer = sign_in(Client())

    assert answer.status_code == 400
    assert "invalid_client" in answer.content.decode()


def test_only_public_parts_are_published_and_the_former_key_for_a_while(by_key, pems):
    first = Client().get("/providers/company/jwks/").json()["keys"]
    by_key.renew_private_key(pems[1])
    by_key.save()
    second = Client().get("/providers/company/jwks/").json()["keys"]

    assert [set(key) for key in first] == [{"kty", "n", "e", "kid", "use", "alg"}]
    assert second[1:] == first
    assert jwt.get_unverified_header(client_key.assertion(by_key, at=now()))["kid"] == second[0]["kid"]
    assert pems[0] not in by_key.encrypted_secrets


def test_an_administrator_chooses_a_key_and_renews_it(db, server, settings):
    browser = people.signed_in(people.make_superuser(people.person("boss")))
    values = {"name": "Partner", "slug": "partner", "issuer": "https://p.example.invalid", "client_id": "tms"}
    values |= {"scopes": "openid", "groups_claim": "groups", "factor_policy": "never", "client_auth": "private_key_jwt"}

    page = browser.post("/people/identity-providers/new/", values, follow=True).content.decode()
    provider = IdentityProvider.objects.get()
    [before] = provider.private_keys
    browser.post(f"/people/identity-providers/{provider.pk}/", {**values, "name": "Renamed"})
    provider.refresh_from_db()
    unchanged = provider.private_keys
    browser.post(f"/people/identity-providers/{provider.pk}/key/")
    provider.refresh_from_db()

    assert "http://testserver/providers/partner/jwks/" in page
    assert unchanged == [before]
    assert provider.private_keys[1:] == [before]
    assert AuditEntry.objects.filter(action="key-renewed", subject_name="Renamed").exists()


def test_who_signs_out_is_led_to_the_provider(company):
    IdentityProvider.objects.update(signs_out=True)
    browser = Client()
    sign_in(browser)

    address = led_to(browser.post("/sign-out/"))

    sent = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert address.startswith(f"{company.issuer}/session/end?")
    assert jwt.decode(sent["id_token_hint"], options={"verify_signature": False})["sub"] == "keiko"
    assert (sent["client_id"], sent["post_logout_redirect_uri"]) == (company.client_id, "http://testserver/sign-in/")
    assert browser.get("/me/")["Location"].startswith("/sign-in/")


def by_password(company: IdentityProvider) -> Client:
    return people.signed_in(people.person("mori"))


def unasked(company: IdentityProvider) -> Client:
    browser = Client()
    sign_in(browser)
    return browser


def unreachable(company: IdentityProvider) -> Client:
    browser = Client()
    IdentityProvider.objects.update(signs_out=True)
    sign_in(browser)
    IdentityProvider.objects.update(issuer="http://127.0.0.1:1")
    directory().discard(company)
    return browser


@pytest.mark.parametrize("begin", [by_password, unasked, unreachable])
def test_others_are_signed_out_of_tms_alone(company, begin):
    browser = begin(company)

    answer = browser.post("/sign-out/")

    assert (answer.status_code, answer["Location"]) == (302, "/sign-in/")
    assert browser.get("/me/")["Location"].startswith("/sign-in/")
