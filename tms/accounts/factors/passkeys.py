"""Passkeys (WebAuthn): a key pair of a device, unlocked there by fingerprint, face or PIN.

Each passkey is two factors in one, so it is enough to sign in. The browser signs a challenge that its session keeps. A
challenge is answered once, and for this host only.
"""

import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.webauthn.internal import auth
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext

from tms.accounts.factors import services
from tms.accounts.models import SpentToken, User

MAX_BYTES = 16_384
"""The largest answer of a browser that is read; real ones have about 1 KiB."""
MAX_PASSKEYS = 20
"""Passkeys of one person. Each is parsed at their sign-in."""
NAME_LENGTH = 60
MALFORMED = (
    ValueError,
    TypeError,
    KeyError,
    IndexError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    struct.error,
)
"""What the library raises for input that no browser submits."""


def is_used() -> bool:
    """Whether there is one: until then, the password is the first way to sign in."""
    return bool(Authenticator.objects.filter(type=Authenticator.Type.WEBAUTHN).exists())


def creation_options(person: User) -> dict[str, Any]:
    """What the browser needs to make a passkey. Devices that have one already are excluded."""
    options: dict[str, Any] = auth.begin_registration(person, passwordless=True)["publicKey"]
    return options


def request_options(person: User | None = None) -> dict[str, Any]:
    """What the browser needs to use a passkey: one of this person, or any that it knows for this host."""
    options: dict[str, Any] = auth.begin_authentication(person)["publicKey"]
    return options


def register(text: str, *, person: User) -> dict[str, Any]:
    """The credential that the browser made. Raises ValidationError."""
    if Authenticator.objects.filter(user=person, type=Authenticator.Type.WEBAUTHN).count() >= MAX_PASSKEYS:
        raise ValidationError(gettext("Remove a passkey first; you have %d already.") % MAX_PASSKEYS)
    credential = _parse(text)
    with _convert_errors():
        _spend_challenge()
        auth.parse_registration_response(credential)
        if not auth.complete_registration(credential).is_user_verified():
            raise ValueError("the device did not verify the person")
    return credential


def verify(text: str, *, person: User | None) -> Authenticator:
    """The passkey with which the browser signed: one of this person, or of any. Raises ValidationError."""
    credential = _parse(text)
    with _convert_errors():
        _spend_challenge()
        owner = person or auth.extract_user_from_response(credential)
        response = auth.parse_authentication_response(credential)
        factor: Authenticator = auth.complete_authentication(owner, credential)
        if not response.response.authenticator_data.is_user_verified() or not owner.is_active:
            raise ValueError("the device did not verify the person, or the person is disabled")
        services.note_counter(factor, response.response.authenticator_data.counter)
    return factor


def _spend_challenge() -> None:
    """Raises ValueError if it was used: of two requests at once, both find it in the session."""
    until = timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE)
    if (state := auth.get_state()) and not SpentToken.objects.spend(state["challenge"], until=until):
        raise ValueError("the challenge was answered before")


def _parse(text: str) -> dict[str, Any]:
    with _convert_errors():
        if len(text) > MAX_BYTES:
            raise ValueError(f"{len(text)} characters")
        credential: dict[str, Any] = json.loads(text)
        if not isinstance(credential, dict):
            raise TypeError(type(credential).__name__)
    return credential


@contextmanager
def _convert_errors() -> Iterator[None]:
    """One message for all that can be wrong. A challenge is used up by an answer to it, right or wrong."""
    try:
        yield
    except (*MALFORMED, ValidationError) as error:
        auth.clear_state()
        raise ValidationError(gettext("This passkey was not accepted. Try again.")) from error
