"""Passkeys: made under `/me/security/passkey/`, used at `/sign-in/passkey/` and `/me/confirm/`."""

import json
from datetime import timedelta
from functools import partial

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from tests.support.accounts.soft_passkey import SoftPasskey
from tests.support.accounts.steps import PASSWORD, SECRET, Steps, codes_on
from tms.accounts.factors import passkeys, services, totp
from tms.accounts.mail import background
from tms.accounts.models import AuditEntry, Identity, IdentityProvider, User
from tms.metrics.instruments import SIGN_IN_PASSKEYS

pytestmark = [pytest.mark.both, pytest.mark.django_db]
ADD, USE = "/me/security/passkey/", "/sign-in/passkey/"


class Browser(Steps):
    """A browser over HTTPS, without which none has passkeys."""

    def __init__(self, **options):
        super().__init__(**options)
        self.client.defaults |= {"wsgi.url_scheme": "https"}

    def add(self, passkey: SoftPasskey, name: str = "Laptop"):
        options = self.client.post(ADD + "options/").json()
        return self.client.post(ADD, {"name": name, "credential": passkey.make(options)})

    def use(self, passkey: SoftPasskey, **fields: str):
        options = self.client.post(USE + "options/").json()
        return self.client.post(USE, {"credential": passkey.sign(options), **fields})


@pytest.fixture
def me(tanaka, clock) -> Browser:
    browser = Browser()
    browser.password()
    return browser


@pytest.fixture
def passkey(me) -> SoftPasskey:
    passkey = SoftPasskey()
    assert me.add(passkey).status_code == 200
    return passkey


def test_a_passkey_is_added_with_its_name_and_brings_recovery_codes(me, tanaka):
    answer = me.add(SoftPasskey(), " Key\tring\u202e ")

    assert len(codes_on(answer)) == 10
    assert Authenticator.objects.get(user=tanaka, type="webauthn").data["name"] == "Key ring"
    assert AuditEntry.objects.get(action="factor-added").changes == {"factor": [None, "passkey Key ring"]}
    assert "Key ring" in me.client.get("/me/security/").content.decode()


def test_a_passkey_alone_signs_in_and_opens_the_requested_page(passkey):
    browser = Browser()

    answer = browser.use(passkey, next="/alerts/")

    assert answer["Location"] == "/alerts/"
    assert browser.is_signed_in
    assert Authenticator.objects.get(type="webauthn").last_used_at is not None


def test_a_session_after_a_passkey_lasts_as_long_as_after_a_password(passkey, settings):
    browser = Browser()
    browser.use(passkey)

    assert browser.client.session.get_expiry_age() == settings.SESSION_COOKIE_AGE


def test_a_person_without_a_password_signs_in_with_a_passkey(passkey, tanaka):
    tanaka.set_unusable_password()
    tanaka.save()
    browser = Browser()

    browser.use(passkey)

    assert browser.is_signed_in


def test_after_a_password_the_passkey_is_the_second_step(passkey):
    browser = Browser()

    assert browser.password()["Location"] == "/sign-in/code/"
    assert "Continue with a passkey" in browser.client.get("/sign-in/code/").content.decode()
    browser.use(passkey)
    assert browser.is_signed_in


def test_a_challenge_is_answered_once(passkey):
    browser = Browser()
    answer = passkey.sign(browser.client.post(USE + "options/").json())
    browser.client.post(USE, {"credential": answer})
    other = Browser()
    other.client.cookies = browser.client.cookies
    browser.client.post("/sign-out/")

    again = browser.client.post(USE, {"credential": answer})

    assert again["Location"].startswith("/sign-in/?passkey=rejected")


def test_a_wrong_answer_uses_up_the_challenge(passkey):
    browser = Browser()
    answer = passkey.sign(browser.client.post(USE + "options/").json())
    browser.client.post(USE, {"credential": "{}"})

    assert browser.client.post(USE, {"credential": answer})["Location"].startswith("/sign-in/?passkey=rejected")


def test_the_answer_to_the_challenge_of_another_browser_is_rejected(passkey):
    browser, other = Browser(), Browser()
    answer = passkey.sign(browser.client.post(USE + "options/").json())
    other.client.post(USE + "options/")

    assert "rejected" in other.client.post(USE, {"credential": answer})["Location"]
    assert not other.is_signed_in


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("origin", "https://evil.example"),
        ("origin", "http://testserver"),
        ("host", "evil.example"),
        ("flags", 0x01),
        ("flags", 0x00),
        ("id", b"another"),
        ("user_handle", b"zzzzzzzz"),
        ("user_handle", b"\xff"),
        ("user_handle", b""),
        ("user_handle", b"9" * 100),
    ],
)
def test_an_answer_that_differs_in_one_thing_is_rejected(passkey, attribute, value):
    setattr(passkey, attribute, value)
    browser = Browser()

    assert "rejected" in browser.use(passkey)["Location"]
    assert not browser.is_signed_in


def test_the_signature_of_another_key_is_rejected(passkey):
    other = SoftPasskey()
    other.user_handle = passkey.user_handle
    browser = Browser()

    assert "rejected" in browser.use(other)["Location"]


def test_the_passkey_of_a_disabled_person_is_rejected(passkey, tanaka):
    User.objects.filter(pk=tanaka.pk).update(is_active=False)
    browser = Browser()

    assert "rejected" in browser.use(passkey)["Location"]
    assert not browser.is_signed_in


def test_a_device_that_does_not_verify_the_person_makes_no_passkey(me):
    assert me.add(SoftPasskey(is_verified=False)).status_code == 422
    assert not Authenticator.objects.exists()


HOSTILE = [
    "",
    "{",
    "[]",
    "null",
    "1",
    '"text"',
    "{}",
    '{"id": 1}',
    '{"response": []}',
    '{"response": {"userHandle": {"a": 1}}}',
    '{"response": {"userHandle": "MQ", "clientDataJSON": 5}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"AA","authenticatorData":"AA","signature":"AA","userHandle":"MQ"}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{"clientDataJSON":"e30","attestationObject":"gYGBgYGBgYGBgQ"}}',
    json.dumps({"a": "b" * 20_000}),
    "[" * 9_000,
    '{"a":' * 3_000,
    "\ud800",
    '{"id": "\\u0000"}',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nonsense_is_rejected_like_a_wrong_passkey(passkey, me, text):
    text = text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
    browser = Browser()
    browser.client.post(USE + "options/")
    me.client.post(ADD + "options/")

    assert "rejected" in browser.client.post(USE, {"credential": text})["Location"]
    assert me.client.post(ADD, {"name": "x", "credential": text}).status_code == 422
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_attempts_are_counted_by_outcome(passkey):
    before = [SIGN_IN_PASSKEYS.labels(outcome)._value.get() for outcome in ("accepted", "rejected")]
    Browser().use(passkey)
    Browser().client.post(USE, {"credential": "{}"})

    after = [SIGN_IN_PASSKEYS.labels(outcome)._value.get() for outcome in ("accepted", "rejected")]
    assert [now - then for now, then in zip(after, before, strict=True)] == [1, 1]


def test_the_session_of_a_visitor_who_asks_for_a_challenge_is_short(db):
    client = Client()
    client.post(USE + "options/")

    assert client.session.get_expiry_age() == 300


def test_a_passkey_confirms_a_recent_sign_in(passkey, me, clock):
    clock.shift(timedelta(minutes=11))
    options = me.client.post("/me/confirm/options/").json()

    wrong = me.client.post("/me/confirm/", {"credential": "{}", "next": ADD})
    assert wrong.status_code == 422
    options = me.client.post("/me/confirm/options/").json()
    right = me.client.post("/me/confirm/", {"credential": passkey.sign(options), "next": ADD})

    assert [one["id"] for one in options["allowCredentials"]]
    assert right["Location"] == ADD
    assert me.client.get(ADD).status_code == 200


def test_the_passkey_of_another_person_confirms_nothing(passkey, clock):
    User.objects.create_user("sato", password=PASSWORD)
    sato = Browser()
    sato.password("sato")
    sato.add(mine := SoftPasskey())
    mine.id = b"x"
    options = sato.client.post("/me/confirm/options/").json()

    assert sato.client.post("/me/confirm/", {"credential": passkey.sign(options)}).status_code == 422


COUNTERS = {
    "it never counts": ([0, 0], False),
    "it counts": ([1, 2, 9], False),
    "it goes back": ([2, 1], True),
    "it repeats": ([5, 5], True),
    "it stops counting": ([3, 0], True),
}


@pytest.mark.parametrize(("counters", "is_noticed"), COUNTERS.values(), ids=COUNTERS)
def test_a_counter_that_goes_back_is_in_the_audit_trail_and_mailed(
    passkey, tanaka, settings, mailoutbox, counters, is_noticed, django_capture_on_commit_callbacks
):
    settings.EMAIL_URL = "smtp://mail.example"
    User.objects.filter(pk=tanaka.pk).update(email="tanaka@noc.example")

    for counter in counters:
        passkey.counter = counter
        browser = Browser()
        with django_capture_on_commit_callbacks(execute=True):
            browser.use(passkey)
        assert browser.is_signed_in
    background.thread().submit(lambda: None).result()

    entries = AuditEntry.objects.filter(action="passkey-counter-back").values_list("changes__counter", flat=True)
    assert list(entries) == ([counters[-2:]] if is_noticed else [])
    assert [mail.to for mail in mailoutbox] == ([["tanaka@noc.example"]] if is_noticed else [])


def test_a_removed_passkey_no_longer_signs_in(passkey, me):
    factor = Authenticator.objects.get(type="webauthn")
    asked = me.client.get(f"/me/security/{factor.pk}/remove/")
    me.client.post(f"/me/security/{factor.pk}/remove/")

    assert "Remove the passkey" in asked.content.decode()
    assert "rejected" in Browser().use(passkey)["Location"]


def app(person: User) -> None:
    services.add(person, Authenticator.Type.TOTP, totp.data_of(SECRET, 0))


def other_passkey(person: User) -> None:
    Authenticator.objects.create(user=person, type=Authenticator.Type.WEBAUTHN, data={"name": "Phone"})


def identity(person: User, *, is_enabled: bool = True) -> None:
    provider = IdentityProvider.objects.create(
        name="Company account", slug="company", issuer="https://login.example", client_id="tms", is_enabled=is_enabled
    )
    Identity.objects.create(provider=provider, person=person, issuer=provider.issuer, subject="t")


WAYS = {
    "none": (lambda _: None, 409),
    "an app, which is only a second factor": (app, 409),
    "a disabled provider": (partial(identity, is_enabled=False), 409),
    "another passkey": (other_passkey, 302),
    "a provider": (identity, 302),
}


@pytest.mark.parametrize(("add", "status"), WAYS.values(), ids=WAYS)
def test_the_only_way_in_of_a_person_without_a_password_stays(passkey, me, tanaka, add, status):
    """Otherwise they could never sign in again."""
    tanaka.set_unusable_password()
    tanaka.save()
    me = Browser()
    me.use(passkey)
    factor = Authenticator.objects.get(type="webauthn")
    add(tanaka)
    address = f"/me/security/{factor.pk}/remove/"
    asked = me.client.get(address).content.decode()

    assert me.client.post(address).status_code == status
    assert Authenticator.objects.filter(pk=factor.pk).exists() == (status == 409)
    assert ("Add another passkey first" in asked) == (status == 409)
    assert "only your password" not in asked


def test_a_person_has_a_limited_number_of_passkeys(passkey, me, monkeypatch):
    monkeypatch.setattr(passkeys, "MAX_PASSKEYS", 1)
    other = SoftPasskey()
    other.id = b"other"

    answer = me.add(other)

    assert answer.status_code == 422
    assert "you have 1 already" in answer.content.decode()


def test_options_and_passkeys_are_for_people_who_signed_in_recently(passkey, me, clock):
    clock.shift(timedelta(minutes=11))

    assert me.client.post(ADD + "options/")["Location"].startswith("/me/confirm/")
    assert me.client.post(ADD, {"credential": "{}"})["Location"].startswith("/me/confirm/")


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)"])
def test_a_passkey_never_redirects_to_another_site(passkey, elsewhere):
    assert Browser().use(passkey, next=elsewhere)["Location"] == "/"
