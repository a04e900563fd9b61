"""Hashes of secrets that TMS generated: it can recognise, but not read them."""

import hashlib


def hash_token(secret: str) -> str:
    """SHA-256 suits a random secret of 256 bits, which cannot be guessed; a slow hash would only slow down boots."""
    return hashlib.sha256(secret.encode()).hexdigest()
