"""Known devices: a signed cookie says who signed in here before (OWASP, "device cookies").

Whoever guesses from elsewhere cannot lock such a person out, for attempts from a known device have a limit of their
own. The cookie proves nothing else: the password is still needed.
"""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.core import signing
from django.http import HttpResponse

SALT = "tms.accounts.device"
LASTS_S = 180 * 24 * 3600
MOST_NAMES = 8
"""People remembered per device; beyond that, the one who signed in longest ago is dropped."""


class Device(NamedTuple):
    id: str
    names: tuple[str, ...]
    """Digests of the names that signed in here, newest first."""


def of(cookies: Mapping[str, str]) -> Device | None:
    cookie = cookies.get(settings.DEVICE_COOKIE_NAME)
    if not cookie:
        return None
    try:
        values: Any = signing.loads(cookie, salt=SALT, max_age=LASTS_S)
    except signing.BadSignature:
        return None
    return Device(values[0], tuple(values[1:]))


def remember(response: HttpResponse, known: Device | None, name: str) -> None:
    """Give the browser a cookie by which `name` is known from now on."""
    names = (name, *(other for other in (known.names if known else ()) if other != name))[:MOST_NAMES]
    value = signing.dumps([known.id if known else secrets.token_hex(8), *names], salt=SALT)
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME, value, LASTS_S, secure=settings.HTTPS_ONLY, httponly=True, samesite="Lax"
    )
