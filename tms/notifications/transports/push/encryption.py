"""Encryption for one browser: RFC 8291, which is one record of `aes128gcm` (RFC 8188)."""

import os

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
    generate_private_key,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SALT = 16
RECORD = 4_096
LAST = b"\2"
"""Ends the content of the last record."""


def encrypted(
    content: bytes,
    *,
    browser_key: bytes,
    secret: bytes,
    salt: bytes | None = None,
    own_key: EllipticCurvePrivateKey | None = None,
) -> bytes:
    """The body of a message. `browser_key`: the point of the browser, uncompressed; `secret`: what it shares with TMS.

    `salt` and `own_key` are made for each message. Raises ValueError if the key is no point on the curve.
    """
    salt, own_key = salt or os.urandom(SALT), own_key or generate_private_key(SECP256R1())
    theirs = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), browser_key)
    own = own_key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    shared = _derive(
        own_key.exchange(ECDH(), theirs), salt=secret, about=b"WebPush: info\0" + browser_key + own, size=32
    )
    key = _derive(shared, salt=salt, about=b"Content-Encoding: aes128gcm\0", size=16)
    nonce = _derive(shared, salt=salt, about=b"Content-Encoding: nonce\0", size=12)
    header = salt + RECORD.to_bytes(4) + len(own).to_bytes(1) + own
    return header + AESGCM(key).encrypt(nonce, content + LAST, None)


def _derive(value: bytes, *, salt: bytes, about: bytes, size: int) -> bytes:
    return HKDF(SHA256(), size, salt, about).derive(value)
