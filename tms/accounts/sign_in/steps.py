"""The steps of a sign-in, which django-allauth carries out: it waits for each, then starts the session."""

import time
from typing import Any

from allauth.account.internal.flows import login as flow
from allauth.account.models import Login
from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal.flows import perform_passwordless_login
from django.http import HttpRequest, HttpResponse

from tms.accounts.models import Identity, User
from tms.accounts.sessions import provider as provider_sessions
from tms.accounts.sign_in.assertion import Assertion


def after_password(request: HttpRequest, person: User, *, next_page: str) -> HttpResponse:
    """The password was right: redirects to the next step, or signs in and redirects to `next_page`."""
    response: HttpResponse = flow.perform_password_login(request, {}, Login(user=person, redirect_url=next_page))
    return response


def after_passkey(request: HttpRequest, passkey: Authenticator, *, next_page: str) -> HttpResponse:
    """The browser signed with this passkey: signs its person in and redirects to `next_page`."""
    login = Login(user=passkey.user, redirect_url=next_page)
    response: HttpResponse = perform_passwordless_login(request, passkey, login)
    return response


def after_provider(
    request: HttpRequest, identity: Identity, asserted: Assertion, *, age_s: float | None, next_page: str
) -> HttpResponse:
    """The person signed in at a provider: redirects to the next step, or signs in and redirects to `next_page`."""
    record_of_provider(request, identity, asserted, age_s=age_s)
    response: HttpResponse = flow.perform_login(request, Login(user=identity.person, redirect_url=next_page))
    return response


def record_of_provider(request: HttpRequest, identity: Identity, asserted: Assertion, *, age_s: float | None) -> None:
    """The session remembers how the person signed in, and when.

    `age_s`: how long ago they proved to the provider who they are. None if it does not say it: it may have remembered
    them, so that the sign-in is not recent.
    """
    how: dict[str, Any] = {"identity": identity.pk, "has_factor": asserted.has_factor, "sid": asserted.sid}
    how["at"] = 0.0 if age_s is None else time.time() - max(age_s, 0.0)
    if id_token := provider_sessions.stored_id_token(identity.provider, asserted.id_token):
        how["id_token"] = id_token
    flow.record_authentication(request, identity.person, provider_sessions.METHOD, **how)
