"""Secret values: encrypted where they are stored, and in the digest of a content only with a key that TMS has."""

import hashlib
import hmac
import json
from functools import lru_cache
from typing import Any

from django.conf import settings

from tms.lib.encryption import DecryptionError, decrypt, encrypt

__all__ = ["MASKED", "DecryptionError", "digest_of", "reveal", "seal"]

PURPOSE = b"tms.configuration"
"""Part of the key, so it may not change."""
MASKED = "•••"


def seal(value: Any) -> str:
    return encrypt({"value": json.dumps(value)}, purpose=PURPOSE)


@lru_cache(maxsize=1)
def _key(secret: str) -> bytes:
    return hashlib.sha256(PURPOSE + b".digest" + secret.encode()).digest()


def reveal(token: str) -> Any:
    """Raises DecryptionError."""
    return json.loads(decrypt(token, purpose=PURPOSE)["value"])


def digest_of(text: str) -> str:
    return hmac.new(_key(settings.SECRET_KEY), text.encode(), hashlib.sha256).hexdigest()
