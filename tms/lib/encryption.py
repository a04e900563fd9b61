"""Encrypts secrets that TMS must be able to use: a dump of the database contains no plain text.

The key is derived from `TMS_SECRET_KEY`. After that has changed, older secrets cannot be decrypted.
"""

import base64
import json
from collections.abc import Mapping

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

DESTINATIONS = b"tms.notifications.sealed"
"""The purpose is part of the key: none of them may change."""


class DecryptionError(Exception):
    """Encrypted with another `TMS_SECRET_KEY`, or not by TMS."""


def encrypt(secrets: Mapping[str, str], *, purpose: bytes = DESTINATIONS) -> str:
    return _fernet(purpose).encrypt(json.dumps(dict(secrets)).encode()).decode()


def decrypt(token: str, *, purpose: bytes = DESTINATIONS) -> dict[str, str]:
    """Raises DecryptionError."""
    if not token:
        return {}
    try:
        secrets: dict[str, str] = json.loads(_fernet(purpose).decrypt(token.encode()))
    except InvalidToken:
        raise DecryptionError from None
    return secrets


def _fernet(purpose: bytes) -> Fernet:
    key = HKDF(SHA256(), 32, None, purpose).derive(settings.SECRET_KEY.encode())
    return Fernet(base64.urlsafe_b64encode(key))
