"""The key that signs artifacts of tests. Needs no Django."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_NAME = "release-2026"
PRIVATE_KEY = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
