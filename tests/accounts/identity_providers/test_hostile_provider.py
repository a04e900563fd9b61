"""Responses that a sign-in at a provider must not accept."""

import json
import time
from base64 import urlsafe_b64encode
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from django.test import Client
from jwt.algorithms import RSAAlgorithm

from tests.support import people
from tests.support.accounts.provider_steps import leave
from tests.support.servers.hostile_provider import public
from tms.accounts.identity_providers.oidc.check import Outcome, check
from tms.accounts.models import AuditEntry, ProviderSession, User

pytestmark = [pytest.mark.both, pytest.mark.django_db]
NOW = time.time()
DISCOVERY = "/.well-known/openid-configuration"
SIGN_IN = "/sign-in/provider/company/"
UNSTORABLE = "a\0b\ud800c"
"""No database stores it."""


def come_back(
    hostile, make_token: Any, *, browser: Client | None = None, begun: str = SIGN_IN, **answer: str
) -> tuple[Client, Any]:
    """A sign-in whose ID token `make_token` makes of the right nonce. `begun`: the address of its button."""
    browser = browser or Client()
    sent = parse_qs(urlsplit(leave(browser, begun)).query)
    hostile.answers["/token"] = {"id_token": make_token(hostile, sent["nonce"][0]), "access_token": "x"}
    query = {"code": "c", "state": sent["state"][0], **answer}
    return browser, browser.get(f"{SIGN_IN}callback/?{urlencode(query)}")


def claims(**changes: Any) -> Any:
    return lambda hostile, nonce: hostile.id_token(nonce, **changes)


def signed(**how: Any) -> Any:
    def make(hostile, nonce):
        good = {"iss": hostile.issuer, "aud": "tms", "sub": "keiko", "iat": int(time.time()), "nonce": nonce}
        return hostile.sign({**good, "exp": int(time.time()) + 300}, **how)

    return make


def signed_with_other_key(hostile, nonce):
    return signed(key=hostile.other_key)(hostile, nonce)


def signed_with_public_key(hostile, nonce):
    """A token signed with the public key as a shared secret: everyone knows it."""
    secret = hostile.answers["/keys"]["keys"][0]["x"]
    return signed(key=secret.encode(), algorithm="HS256")(hostile, nonce)


def tampered(hostile, nonce):
    head, _, signature = hostile.id_token(nonce).split(".")
    other = hostile.id_token(nonce, sub="boss").split(".")[1]
    return f"{head}.{other}.{signature}"


def unstorable_algorithm(*_):
    parts = ({"alg": UNSTORABLE}, {})
    return ".".join([*(urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts), "eA"])


BAD_TOKENS = {
    "another nonce": claims(nonce="of another sign-in"),
    "no nonce": claims(nonce=None),
    "another issuer": claims(iss="https://evil.example"),
    "another audience": claims(aud="other"),
    "no audience": claims(aud=None),
    "for several clients, of which another is authorized": claims(aud=["tms", "other"], azp="other"),
    "for several clients without an authorized one": claims(aud=["tms", "other"]),
    "expired": claims(exp=int(NOW) - 3600),
    "never expires": claims(exp=None),
    "from the future": claims(iat=int(NOW) + 3600),
    "without a subject": claims(sub=None),
    "an empty subject": claims(sub=""),
    "a subject that is no text": claims(sub=7),
    "a subject that is too long": claims(sub="k" * 256),
    "a subject with a line break": claims(sub="keiko\nboss"),
    "an algorithm that no database stores": unstorable_algorithm,
    "not signed": signed(key="", algorithm="none"),
    "signed with another key": signed_with_other_key,
    "signed with the public key as a secret": signed_with_public_key,
    "an unknown key": signed(kid="second"),
    "changed after signing": tampered,
    "no token": lambda *_: "",
    "no JWT": lambda *_: "a.b",
    "nested without end": lambda *_: f"{urlsafe_b64encode(b'[' * 40_000).decode()}.e30.x",
    "too long": claims(padding="x" * 70_000),
}


@pytest.mark.parametrize("make_token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_wrong_token_is_not_accepted(hostile, make_token):
    browser, answer = come_back(hostile, make_token)

    assert answer.status_code == 400
    assert "_auth_user_id" not in browser.session
    assert not User.objects.exists()
    assert AuditEntry.objects.get(action="sign-in-failed").subject_name == "Company account"


def test_a_right_token_signs_in(hostile):
    browser, answer = come_back(hostile, claims(preferred_username="keiko", aud=["tms"]), iss=hostile.issuer)

    assert answer.status_code == 302
    assert "_auth_user_id" in browser.session


@pytest.mark.parametrize(("age_s", "is_recent"), [(None, False), (60, True), (3600, False)])
def test_a_sign_in_is_as_recent_as_the_provider_says(hostile, age_s, is_recent):
    """It asks for nothing while it remembers the person, also at a browser that was left open."""
    at = None if age_s is None else int(time.time()) - age_s
    browser, _ = come_back(hostile, claims(preferred_username="keiko", auth_time=at))

    answer = browser.get("/me/tokens/new/")

    assert (answer.status_code == 200) == is_recent
    assert answer.get("Location", "").startswith("/me/confirm/") != is_recent


NO_TIMES = {
    "huge": 10**400,
    "negative": -(10**400),
    "nan": float("nan"),
    "text": "now",
    "a number as text": str(int(NOW)),
    "true": True,
    "list": [1],
    "beyond all years": 2.0**41,
    "two hours ahead": int(NOW) + 7200,
}


@pytest.mark.parametrize("at", NO_TIMES.values(), ids=NO_TIMES)
def test_a_time_that_is_none_is_as_if_the_provider_said_nothing(hostile, at):
    browser, answer = come_back(hostile, claims(preferred_username="keiko", auth_time=at))
    asked = browser.get("/me/tokens/new/")
    browser, confirmed = come_back(hostile, claims(auth_time=at), browser=browser)

    assert answer.status_code == 302
    assert asked["Location"].startswith("/me/confirm/")
    assert confirmed.status_code == 403


def test_each_sign_in_asks_the_provider_when_the_person_signed_in(hostile, settings):
    sent = parse_qs(urlsplit(leave(Client())).query)

    assert sent["max_age"] == [str(settings.SESSION_COOKIE_AGE)]


ADDRESSES = {
    "the ID token has one, userinfo verifies another": (
        {"email": "mori@noc.example"},
        {"email": "me@noc.example", "email_verified": True},
    ),
    "the ID token has one, userinfo verifies it": ({"email": "mori@noc.example"}, {"email_verified": True}),
    "userinfo has one, the ID token verifies another": (
        {"email_verified": True},
        {"email": "mori@noc.example", "email_verified": False},
    ),
    "userinfo has one, the ID token verifies none": ({"email_verified": True}, {"email": "mori@noc.example"}),
    "verified is a text": ({"email": "mori@noc.example", "email_verified": "true"}, {}),
    "verified is a number": ({"email": "mori@noc.example", "email_verified": 1}, {}),
    "verified is a list": ({"email": "mori@noc.example", "email_verified": [True]}, {}),
    "verified by a claim of another vendor": ({"email": "mori@noc.example", "xms_edov": True}, {}),
    "a dotless i": ({"email": "tosh\u0131@noc.example", "email_verified": True}, {}),
    "a dotted capital I": ({"email": "TOSH\u0130@noc.example", "email_verified": True}, {}),
    "another domain, which a Kelvin sign makes ours": ({"email": "mori@\u212aoc.example", "email_verified": True}, {}),
}


@pytest.mark.parametrize(("id_token", "userinfo"), ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_that_its_own_document_does_not_verify_is_not_linked(hostile, provider, id_token, userinfo):
    provider.links_by_email, provider.email_domains = True, "noc.example koc.example"
    provider.save()
    people.person("mori", email="mori@noc.example")
    hostile.answers["/me"] = {"sub": "keiko", **userinfo}

    browser, answer = come_back(hostile, claims(**id_token))

    assert answer.status_code == 403
    assert "_auth_user_id" not in browser.session


@pytest.mark.parametrize("is_in_id_token", [True, False])
def test_a_verified_address_links_from_either_document(hostile, provider, is_in_id_token):
    provider.links_by_email, provider.email_domains = True, "noc.example"
    provider.save()
    mori = people.person("mori", email="Mori@noc.example")
    address = {"email": "mori@NOC.example", "email_verified": True}
    hostile.answers["/me"] = {"sub": "keiko", **({} if is_in_id_token else address)}

    browser, _ = come_back(hostile, claims(**(address if is_in_id_token else {})))

    assert browser.session["_auth_user_id"] == str(mori.pk)


def test_how_the_person_signed_in_is_read_from_the_id_token_only(hostile, provider, settings):
    settings.SECOND_FACTOR, settings.SECOND_FACTOR_GRACE_DAYS = "everyone", 0
    provider.factor_policy, provider.acr_values = "claimed", "high"
    provider.save()
    hostile.answers["/me"] = {"sub": "keiko", "amr": ["mfa"], "acr": "high", "auth_time": int(time.time()), "sid": "7"}

    browser, _ = come_back(hostile, claims(preferred_username="keiko"))

    assert browser.session["must_set_up_factor"]
    assert browser.get("/me/security/passkey/")["Location"].startswith("/me/confirm/")
    assert ProviderSession.objects.get().sid == ""


def test_claims_of_another_person_are_not_added(hostile):
    hostile.answers["/me"] = {"sub": "boss", "email": "boss@noc.example", "email_verified": True}

    come_back(hostile, claims(preferred_username="keiko"))

    assert User.objects.values_list("username", "email").get() == ("keiko", "")


@pytest.mark.parametrize(
    "claim", ["given_name", "family_name", "name", "email", "preferred_username", "locale", "sid", "groups"]
)
def test_claims_that_no_database_stores_are_ignored(hostile, claim):
    _, answer = come_back(hostile, claims(**{claim: UNSTORABLE}))

    assert answer.status_code == 302
    person = User.objects.get()
    assert person.username.startswith("company-")
    assert (person.first_name, person.last_name, person.email) == ("", "", "")


def test_a_test_sign_in_shows_claims_that_no_database_stores(hostile, provider):
    browser = people.signed_in(people.make_superuser(people.person("boss")))
    begun = f"/people/identity-providers/{provider.pk}/test/"

    _, answer = come_back(hostile, claims(family_name=UNSTORABLE, groups=[UNSTORABLE]), browser=browser, begun=begun)

    assert answer.status_code == 200
    assert "family_name" in answer.content.decode()


BAD_ANSWERS = {
    "another state": {"state": "of another sign-in"},
    "the issuer of another provider": {"iss": "https://evil.example"},
    "an error": {"error": "access_denied", "error_description": "<b>no</b>"},
}


@pytest.mark.parametrize("answer", BAD_ANSWERS.values(), ids=BAD_ANSWERS)
def test_a_wrong_response_asks_the_provider_nothing(hostile, answer):
    browser, page = come_back(hostile, claims(), **answer)

    assert page.status_code == 400
    assert "/token" not in hostile.asked
    assert "<b>" not in page.content.decode()
    assert "_auth_user_id" not in browser.session


BAD_DOCUMENTS = {
    "another issuer": ({"issuer": "https://evil.example"}, "another issuer"),
    "an endpoint that is no URL": ({"token_endpoint": "javascript:alert(1)"}, "Not a valid URL"),
    "an endpoint with a password": ({"jwks_uri": "http://a:b@127.0.0.1/"}, "Not a valid URL"),
    "a quote in an endpoint": ({"authorization_endpoint": 'http://127.0.0.1/"x'}, "Not a valid URL"),
    "a field of another type": ({"token_endpoint": 7}, "Not a discovery document"),
    "a private address": ({"jwks_uri": "http://127.0.0.2/keys"}, "127.0.0.2"),
    "weak signatures only": ({"id_token_signing_alg_values_supported": ["none", "HS256"]}, "HS256"),
}


@pytest.mark.parametrize(("changes", "text"), BAD_DOCUMENTS.values(), ids=BAD_DOCUMENTS)
def test_the_check_names_what_is_wrong_with_a_document(hostile, provider, changes, text):
    hostile.answers[DISCOVERY] = hostile.document | changes

    failed = [step.detail for step in check(provider) if step.outcome == Outcome.FAILED]

    assert len(failed) == 1
    assert text in failed[0]


BAD_BODIES = {
    "a redirect": ((302, {"Location": "http://127.0.0.2/"}, b""), "302"),
    "an error": ((500, {}, b""), "500"),
    "a page": (b"<html>", "Not a discovery document"),
    "a list": (b"[]", "Not a discovery document"),
    "more than the limit": (b"{" + b" " * 600_000, "larger than"),
    "nested without end": (b"[" * 100_000, "Not a discovery document"),
}


@pytest.mark.parametrize(("body", "text"), BAD_BODIES.values(), ids=BAD_BODIES)
def test_the_check_names_what_is_wrong_with_a_response(hostile, provider, body, text):
    hostile.answers[DISCOVERY] = body

    failed = [step.detail for step in check(provider) if step.outcome == Outcome.FAILED]

    assert len(failed) == 1
    assert text in failed[0]


def test_a_weak_key_of_the_provider_is_no_key(hostile, provider):
    weak = RSAAlgorithm.to_jwk(rsa.generate_private_key(65_537, 1_024).public_key(), as_dict=True)
    hostile.answers["/keys"] = {"keys": [{**weak, "kid": "first", "use": "sig"}]}

    failed = [step.detail for step in check(provider) if step.outcome == Outcome.FAILED]

    assert failed == ["The provider publishes no key for signatures."]


def test_keys_that_are_nested_without_end_are_refused(hostile, provider):
    hostile.answers["/keys"] = b'{"keys": [{"x":' + b"[" * 100_000

    failed = [step.detail for step in check(provider) if step.outcome == Outcome.FAILED]

    assert failed == ["Not a set of keys: nested too deeply"]


def test_an_address_inside_is_not_asked(hostile, provider, settings):
    settings.INSIDE_DESTINATIONS = []

    answer = Client().post("/sign-in/provider/company/")

    assert answer.status_code == 400
    assert "TMS_INSIDE_DESTINATIONS" in answer.content.decode()
    assert hostile.asked == []


def test_a_new_key_of_the_provider_is_found(hostile, provider, monkeypatch):
    monkeypatch.setattr("tms.accounts.identity_providers.oidc.metadata.RETRY_S", -1.0)
    come_back(hostile, claims())
    hostile.answers["/keys"] = {"keys": [public(hostile.other_key, "second")]}
    _, answer = come_back(hostile, lambda hostile, nonce: signed(key=hostile.other_key, kid="second")(hostile, nonce))

    assert answer.status_code == 302
    assert hostile.asked.count("/keys") == 2


@pytest.mark.parametrize("path", [DISCOVERY, "/keys"])
def test_a_provider_that_fails_is_not_asked_by_every_request_of_a_visitor(hostile, path):
    del hostile.answers[path]
    sent = {"logout_token": hostile.id_token("nonce")}

    answers = [Client().post("/providers/company/logout/", sent) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [400, 400, 400]
    assert hostile.asked.count(path) == 1
