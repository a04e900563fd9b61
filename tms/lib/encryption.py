"""Secrets that TMS must be able to use, and nobody to read: a dump of the database holds them encrypted (R2).

The key comes of `TMS_SECRET_KEY`. Once that is another one, what was sealed before cannot be opened.
"""

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"tms.notifications.sealed"


class DecryptionError(Exception):
    """Sealed under another `TMS_SECRET_KEY`, or not sealed by TMS."""


def encrypt(secrets: Mapping[str, str]) -> str:
    return _lock().encrypt(json.dumps(dict(secrets)).encode()).decode()


def decrypt(token: str) -> dict[str, str]:
    """Raises Unreadable."""
    if not token:
        return {}
    try:
        secrets: dict[str, str] = json.loads(_lock().decrypt(token.encode()))
    except InvalidToken:
        raise DecryptionError from None
    return secrets


def _lock() -> Fernet:
    key = HKDF(SHA256(), 32, None, PURPOSE).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))
