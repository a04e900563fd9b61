"""The key pair with which TMS proves who it is at the token endpoint: `private_key_jwt` (Core 1.0, 9)."""

import hashlib
import json
import secrets
from base64 import urlsafe_b64encode
from datetime import datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import RSAAlgorithm

from tms.accounts.models import IdentityProvider

ALGORITHM = "RS256"
"""Which every provider knows that knows this method at all."""
BITS = 3_072
LASTS = timedelta(minutes=1)
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def new_key() -> str:
    """A private key as PEM. Takes some tenths of a second."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=BITS)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_keys(provider: IdentityProvider) -> dict[str, list[dict[str, Any]]]:
    """The JWK Set for the provider (RFC 7517). Raises DecryptionError."""
    return {"keys": [_public(pem) for pem in provider.private_keys]}


def assertion(provider: IdentityProvider, *, at: datetime) -> str:
    """A token that is valid once and for a minute. Raises DecryptionError.

    Its audience is the issuer, and not the address of an endpoint, which another provider could have given as its own.
    """
    pem = provider.private_keys[0]
    claims = {
        "iss": provider.client_id,
        "sub": provider.client_id,
        "aud": provider.issuer,
        "jti": secrets.token_urlsafe(16),
        "iat": at,
        "exp": at + LASTS,
    }
    return jwt.encode(claims, pem, algorithm=ALGORITHM, headers={"kid": _public(pem)["kid"]})


def _public(pem: str) -> dict[str, Any]:
    """Named by its thumbprint (RFC 7638)."""
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError("not an RSA key")
    found = RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    members = {name: found[name] for name in ("e", "kty", "n")}
    digest = hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest()
    thumbprint = urlsafe_b64encode(digest).rstrip(b"=").decode()
    return {**members, "kid": thumbprint, "use": "sig", "alg": ALGORITHM}
