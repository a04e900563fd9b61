"""Requests about sign-ins, factors, sessions and tokens that leave an audit entry. Most need several steps."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from tests.support import people
from tests.support.accounts.soft_passkey import SoftPasskey
from tests.support.accounts.steps import PASSWORD, code_at
from tms.accounts import api_tokens
from tms.accounts.factors import services, totp
from tms.accounts.models import ApiToken, ScreenPairing, User
from tms.accounts.sessions.store import stored_key

SECURITY, PASSKEY = "/me/security/", "/me/security/passkey/"
CHOSEN = {"new_password1": PASSWORD[::-1], "new_password2": PASSWORD[::-1]}
SCREEN = {"name": "NOC", "scope": "everything", "boards": "sites", "every_s": 20, "language": "ja", "theme": "dark"}
TOKEN = {"name": "Shift script", "scope": "read", "days": "30"}


class Step(NamedTuple):
    """The action of the entry, and what sends the request, the last one of those that it needs."""

    action: str
    send: Callable[[], HttpResponse]


def keiko() -> User:
    found = User.objects.filter(username="keiko").first()
    return found or people.person("keiko", of=None, password=PASSWORD, email="keiko@noc.example")


def browser() -> Client:
    """A client over HTTPS, without which no browser has passkeys."""
    client = Client()
    client.defaults |= {"wsgi.url_scheme": "https"}
    return client


def of_keiko() -> Client:
    client = browser()
    people.sign_in_recently(client, keiko())
    return client


def of_boss() -> Client:
    client = browser()
    people.sign_in_recently(client, User.objects.get(username="boss"))
    return client


def sign_in() -> HttpResponse:
    keiko()
    return browser().post("/sign-in/", {"username": "keiko", "password": PASSWORD})


def add_app_by_service() -> Authenticator:
    services.add(keiko(), Authenticator.Type.TOTP, totp.data_of(totp.new_secret(), 0))
    return Authenticator.objects.get(user=keiko(), type=Authenticator.Type.TOTP)


def pair_screen() -> HttpResponse:
    browser().post("/wall/code/")
    return of_boss().post("/pair/", SCREEN | {"code": ScreenPairing.objects.get().code})


def send_wrong_code() -> HttpResponse:
    add_app_by_service()
    client = browser()
    client.post("/sign-in/", {"username": "keiko", "password": PASSWORD})
    return client.post("/sign-in/code/", {"code": "000000"})


def add_app() -> HttpResponse:
    client = of_keiko()
    client.get(f"{SECURITY}app/")
    secret = totp.decrypt(client.session["new_app_secret"])
    return client.post(f"{SECURITY}app/", {"code": code_at(timezone.now(), secret=secret)})


def add_passkey(passkey: SoftPasskey | None = None) -> HttpResponse:
    client = of_keiko()
    options = client.post(f"{PASSKEY}options/").json()
    return client.post(PASSKEY, {"name": "Laptop", "credential": (passkey or SoftPasskey()).make(options)})


def use_passkey() -> HttpResponse:
    passkey, client = SoftPasskey(), browser()
    add_passkey(passkey)
    options = client.post("/sign-in/passkey/options/").json()
    return client.post("/sign-in/passkey/", {"credential": passkey.sign(options)})


def make_codes() -> HttpResponse:
    add_app_by_service()
    return of_keiko().post(f"{SECURITY}recovery-codes/")


def remove_factor() -> HttpResponse:
    return of_keiko().post(f"{SECURITY}{add_app_by_service().pk}/remove/")


def remove_factors_of_keiko() -> HttpResponse:
    add_app_by_service()
    return of_boss().post(f"/people/{keiko().pk}/factors/")


def reset_password() -> HttpResponse:
    client, uid = browser(), urlsafe_base64_encode(force_bytes(keiko().pk))
    form = client.get(f"/sign-in/reset/{uid}/{default_token_generator.make_token(keiko())}/")
    return client.post(form["Location"], CHOSEN)


def signed_in_twice() -> Client:
    sign_in()
    client = browser()
    client.post("/sign-in/", {"username": "keiko", "password": PASSWORD})
    return client


def end_others() -> HttpResponse:
    return signed_in_twice().post("/me/sessions/end-others/")


def end_one() -> HttpResponse:
    client = signed_in_twice()
    other = UserSession.objects.exclude(session_key=stored_key(client.session.session_key)).get(user=keiko())
    return client.post(f"/me/sessions/{other.pk}/end/")


def own_token() -> ApiToken:
    return api_tokens.issue(keiko(), name="script", at=timezone.now())[0]


def service_account() -> User:
    return User.objects.filter(is_service=True)[0]


def token_of_service() -> ApiToken:
    return ApiToken.objects.filter(person=service_account())[0]


STEPS: Mapping[str, Step] = {
    "/sign-in/": Step("signed-in", sign_in),
    "/sign-in/code/": Step("sign-in-failed", send_wrong_code),
    "/sign-in/passkey/": Step("signed-in", use_passkey),
    "/sign-in/reset/<str:uidb64>/<str:token>/": Step("password-reset", reset_password),
    "/me/security/app/": Step("factor-added", add_app),
    "/me/security/passkey/": Step("factor-added", add_passkey),
    "/me/security/recovery-codes/": Step("recovery-codes-made", make_codes),
    "/me/security/<int:pk>/remove/": Step("factor-removed", remove_factor),
    "/me/profile/": Step("changed", lambda: of_keiko().post("/me/profile/", {"first_name": "Keiko"})),
    "/me/preferences/": Step(
        "changed", lambda: of_keiko().post("/me/preferences/", {"theme": "light", "density": "compact"})
    ),
    "/me/sounds/": Step("changed", lambda: of_keiko().post("/me/sounds/", {"info": "on"})),
    "/me/shortcuts/": Step("changed", lambda: of_keiko().post("/me/shortcuts/")),
    "/me/sessions/end-others/": Step("session-ended", end_others),
    "/me/sessions/<int:pk>/end/": Step("session-ended", end_one),
    "/me/tokens/new/": Step("created", lambda: of_keiko().post("/me/tokens/new/", TOKEN)),
    "/me/tokens/<int:pk>/rotate/": Step(
        "rotated", lambda: of_keiko().post(f"/me/tokens/{own_token().pk}/rotate/", {"overlap": "3600"})
    ),
    "/me/tokens/<int:pk>/revoke/": Step(
        "revoked", lambda: of_keiko().post(f"/me/tokens/{own_token().pk}/revoke/", {"sure": "1"})
    ),
    "/pair/": Step("paired", pair_screen),
    "/sites/<str:code>/keys/": Step("keys-rotated", lambda: of_boss().post("/sites/SJK/keys/", {"overlap": 86_400})),
    "/people/<int:pk>/factors/": Step("factor-removed", remove_factors_of_keiko),
    "/people/<int:pk>/tokens/": Step(
        "created", lambda: of_boss().post(f"/people/{service_account().pk}/tokens/", {"name": "Copy", "days": "30"})
    ),
    "/people/tokens/<int:pk>/rotate/": Step(
        "rotated", lambda: of_boss().post(f"/people/tokens/{token_of_service().pk}/rotate/")
    ),
}
"""Steps by route. All are POST."""
