"""Known devices: a signed cookie names the people who signed in on this device (OWASP, "device cookies").

Attempts from a known device have a limit of their own, so attackers elsewhere cannot lock a person out. The cookie
grants nothing else: the password is still required.
"""

import secrets
from collections.abc import Mapping
from typing import Any, NamedTuple

from django.conf import settings
from django.core import signing
from django.http import HttpResponse

SALT = "tms.accounts.device"
LASTS_S = 180 * 24 * 3600
MAX_NAMES = 8
"""People remembered per device; beyond that, the one who signed in longest ago is dropped."""


class KnownDevice(NamedTuple):
    id: str
    names: tuple[str, ...]
    """Hashes of the names that signed in here, newest first."""


def of(cookies: Mapping[str, str]) -> KnownDevice | None:
    cookie = cookies.get(settings.DEVICE_COOKIE_NAME)
    if not cookie:
        return None
    try:
        values: Any = signing.loads(cookie, salt=SALT, max_age=LASTS_S)
    except signing.BadSignature:
        return None
    return KnownDevice(values[0], tuple(values[1:]))


def remember(response: HttpResponse, known: KnownDevice | None, name: str) -> None:
    """Set a cookie by which the browser is a known device of `name` from now on."""
    names = (name, *(other for other in (known.names if known else ()) if other != name))[:MAX_NAMES]
    value = signing.dumps([known.id if known else secrets.token_hex(8), *names], salt=SALT)
    response.set_cookie(
        settings.DEVICE_COOKIE_NAME, value, LASTS_S, secure=settings.HTTPS_ONLY, httponly=True, samesite="Lax"
    )
