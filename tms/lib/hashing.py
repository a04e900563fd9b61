"""Hashes of secrets that TMS generated: it can recognise them, and nobody can read them."""

import hashlib


def hash_token(secret: str) -> str:
    """SHA-256: right for a 256-bit random secret, which no dictionary holds; a slow hash would only slow boots."""
    return hashlib.sha256(secret.encode()).hexdigest()
