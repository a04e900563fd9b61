"""What a browser says when it subscribes. All of it is hostile: TMS posts to the address and encrypts with the keys."""

import base64
import binascii
import re
from typing import NamedTuple, Self
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext

from tms.lib.outgoing.bounded_http import FetchError, require_web
from tms.notifications.transports.addresses import require_public

MAX_ADDRESS = 1_000
POINT, AUTH = 65, 16
"""Bytes of the public key (uncompressed) and of the authentication secret, RFC 8291."""
BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,100}={0,2}")


class Subscription(NamedTuple):
    """A `PushSubscription` of a browser, checked."""

    address: str
    p256dh: str
    auth: str

    @classmethod
    def checked(cls, address: str, p256dh: str, auth: str) -> Self:
        """Raises ValidationError."""
        try:
            EllipticCurvePublicKey.from_encoded_point(SECP256R1(), _decode(p256dh, POINT))
        except ValueError:
            raise ValidationError(gettext("The public key of the browser is not valid.")) from None
        try:
            _decode(auth, AUTH)
        except ValueError:
            raise ValidationError(gettext("The secret of the browser is not valid.")) from None
        return cls(clean_address(address), p256dh.rstrip("="), auth.rstrip("="))


def clean_address(url: str) -> str:
    """HTTPS, of a known push service, at a public address. Raises ValidationError."""
    try:
        require_web(url[: MAX_ADDRESS + 1], may_be_plain=False)
    except FetchError as error:
        raise ValidationError(str(error)) from None
    if len(url) > MAX_ADDRESS:
        raise ValidationError(gettext("The address has more than %d characters.") % MAX_ADDRESS)
    host = (urlsplit(url).hostname or "").rstrip(".")
    if not any(host == service or host.endswith(f".{service}") for service in settings.PUSH_SERVICES):
        text = gettext("%(host)s is no known push service. An administrator can allow it with TMS_PUSH_SERVICES.")
        raise ValidationError(text % {"host": host[:100]})
    require_public([host])
    return url


def decoded(text: str) -> bytes:
    """Raises ValueError."""
    if not BASE64URL.fullmatch(text):
        raise ValueError("not base64url")
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except binascii.Error as error:
        raise ValueError("not base64url") from error


def _decode(text: str, size: int) -> bytes:
    value = decoded(text)
    if len(value) != size:
        raise ValueError(f"{len(value)} bytes instead of {size}")
    return value
