"""No answer reveals whether an account exists, or in which state it is: status, headers and text are the same.

Each path that takes a name, a link or a key is asked about an account in every state, and about none.
"""

import re
from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from tests.support import people
from tests.support.accounts.soft_passkey import SoftPasskey
from tests.support.accounts.steps import PASSWORD
from tms.accounts import api_tokens
from tms.accounts.factors import services, totp
from tms.accounts.mail import background
from tms.accounts.models import Invitation, User
from tms.accounts.people.invitations import services as invitations

pytestmark = [pytest.mark.both, pytest.mark.django_db]

STATES: Mapping[str, Mapping[str, object]] = {
    "active": {},
    "disabled": {"is_active": False},
    "superuser": {"is_superuser": True},
    "service": {"is_service": True},
    "without-password": {"password": "!"},
    "with-factor": {},
    "break-glass": {},
}
NO_ACCOUNT = "no-account"
NAMES = (NO_ACCOUNT, *STATES)
RANDOM = (
    (r'name="csrfmiddlewaretoken" value="\w+"', ""),
    (r"(csrftoken|tms_session|tms_csrf|sessionid)=[^;]+", r"\1="),
    (r"expires=[^;]+", ""),
    (r'"challenge": "[\w-]+"', ""),
    (r'nonce[-=]"?[\w+/=-]+', ""),
    (r'"(trace|id|request_id)": "[^"]+"', ""),
)
"""What differs from one response to the next in any case."""
addresses = count(1)


@pytest.fixture(autouse=True)
def accounts(db, clock, settings, monkeypatch) -> None:
    settings.EMAIL_URL, settings.PUBLIC_URL = "smtp://mail.example", "https://tms.example/"
    settings.BREAK_GLASS = ("break-glass",)
    monkeypatch.setattr(background, "run", lambda work: work())
    for name, fields in STATES.items():
        people.person(name, of="Viewer", email=f"{name}@noc.example", password=PASSWORD)
        User.objects.filter(username=name).update(**fields)
    services.add(of("with-factor"), Authenticator.Type.TOTP, totp.data_of(totp.new_secret(), 0))


def of(name: str) -> User:
    return User.objects.get(username=name)


def browser() -> Client:
    """A client at an address of its own, so that no limit is reached."""
    client = Client(REMOTE_ADDR=f"198.51.100.{next(addresses)}", headers={"host": "testserver"})
    client.defaults |= {"wsgi.url_scheme": "https"}
    return client


def seen(answer, *, name: str = "") -> tuple[int, list[str], str]:
    """Status, headers and text, without what is random and without the name that was sent."""
    cookies = [morsel.OutputString() for morsel in answer.cookies.values()]
    headers = [f"{field}: {value}" for field, value in answer.items()] + cookies
    texts = [answer.content.decode(), *headers]
    for pattern, instead in RANDOM:
        texts = [re.sub(pattern, instead, text) for text in texts]
    texts = [text.replace(name, "NAME") if name else text for text in texts]
    return answer.status_code, sorted(re.sub(r"^Content-Length.*", "", text) for text in texts[1:]), texts[0]


def sign_in(name: str):
    return seen(browser().post("/sign-in/", {"username": name, "password": "wrong"}), name=name)


def sign_in_by_mail(name: str):
    address = f"{name}@noc.example"
    return seen(browser().post("/sign-in/", {"username": address, "password": "wrong"}), name=address)


def code_without_password(name: str):
    client = browser()
    client.post("/sign-in/", {"username": name, "password": "wrong"})
    return seen(client.post("/sign-in/code/", {"code": "123456"}))


def ask_for_link(name: str):
    return seen(browser().post("/sign-in/reset/", {"name": name}), name=name)


def ask_for_link_by_mail(name: str):
    return seen(browser().post("/sign-in/reset/", {"name": f"{name}@noc.example"}), name=name)


def use_forged_link(name: str):
    """The key of a person is easily guessed: it counts up. The token is one of another person."""
    person = User.objects.filter(username=name).first()
    uid = urlsafe_base64_encode(force_bytes(person.pk if person else 10**9))
    other = User.objects.exclude(username=name).order_by("-pk")[0]
    token = default_token_generator.make_token(other)
    return seen(browser().get(f"/sign-in/reset/{uid}/{token}/"))


def answer_with_passkey(name: str):
    """The answer to a passkey of the person, signed by another key; for no account, to a passkey that was never
    added.
    """
    known, forged = SoftPasskey(), SoftPasskey()
    client = browser()
    if person := User.objects.filter(username=name).first():
        owner = browser()
        people.sign_in_recently(owner, of("active"))
        options = owner.post("/me/security/passkey/options/").json()
        owner.post("/me/security/passkey/", {"name": "x", "credential": known.make(options)})
        Authenticator.objects.filter(type="webauthn").update(user=person)
        forged.user_handle = known.user_handle
    else:
        forged.id, forged.user_handle = b"never added", b"7"
    options = client.post("/sign-in/passkey/options/").json()
    return seen(client.post("/sign-in/passkey/", {"credential": forged.sign(options)}))


def ask_for_challenge(name: str):
    """The answer after a name was tried in this browser. The browser gets no list of keys."""
    client = browser()
    client.post("/sign-in/", {"username": name, "password": "wrong"})
    return seen(client.post("/sign-in/passkey/options/", {"username": name}))


PATHS: tuple[Callable[[str], object], ...] = (
    sign_in,
    sign_in_by_mail,
    code_without_password,
    ask_for_link,
    ask_for_link_by_mail,
    use_forged_link,
    answer_with_passkey,
    ask_for_challenge,
)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.__name__)
def test_an_account_in_any_state_is_answered_like_none(path):
    expected = path(NO_ACCOUNT)

    for name in STATES:
        assert path(name) == expected, name


def link(state: str) -> str:
    """The link of an invitation in this state."""
    at = timezone.now()
    invitation, secret = invitations.invite(f"{state}@invited.example", language="en", by=of("superuser"), at=at)
    rows = Invitation.objects.filter(pk=invitation.pk)
    if state == "used":
        rows.update(accepted_at=at)
    if state == "expired":
        rows.update(expires_at=at - timedelta(seconds=1))
    if state == "replaced":
        invitations.renew(invitation, at=at)
    if state == "disabled":
        User.objects.filter(pk=invitation.person_id).update(is_active=False)
    return "never-made" if state == "unknown" else secret


@pytest.mark.parametrize("method", ["get", "post"])
def test_the_link_of_an_invitation_that_does_not_work_reveals_nothing(method):
    states = ("unknown", "used", "expired", "replaced", "disabled")

    answers = {}
    for state in states:
        key = link(state)
        answers[state] = seen(getattr(browser(), method)(f"/invitation/{key}/"), name=key)

    assert {status for status, _headers, _text in answers.values()} == {404}
    assert all(answer == answers["unknown"] for answer in answers.values()), answers


def secret_of(state: str) -> str:
    token, secret = api_tokens.issue(of("disabled" if state == "disabled" else "active"), name="x", at=timezone.now())
    rows = type(token).objects.filter(pk=token.pk)
    if state == "expired":
        rows.update(expires_at=timezone.now() - timedelta(seconds=1))
    if state == "revoked":
        api_tokens.revoke(rows, at=timezone.now())
    return "tms_" + "x" * 43 if state == "unknown" else secret


def test_an_api_token_that_does_not_work_reveals_nothing():
    states = ("unknown", "expired", "revoked", "disabled")

    answers = {
        state: seen(browser().get("/api/v1/alerts", headers={"Authorization": f"Bearer {secret_of(state)}"}))
        for state in states
    }

    assert {status for status, _headers, _text in answers.values()} == {401}
    assert all(answer == answers["unknown"] for answer in answers.values()), answers
