"""A passkey in software: makes credentials and signs challenges as a browser with a platform authenticator does."""

import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from fido2 import cbor
from fido2.cose import ES256
from fido2.utils import websafe_decode, websafe_encode

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


class SoftPasskey:
    def __init__(self, origin: str = "https://testserver", *, is_verified: bool = True) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.id = b"credential-of-this-test"
        self.origin = origin
        self.host = origin.partition("//")[2].partition(":")[0]
        self.flags = PRESENT | (VERIFIED if is_verified else 0)
        self.user_handle = b""
        self.counter = 0
        """How often it has signed; most passkeys always send 0."""

    def make(self, options: dict[str, Any]) -> str:
        self.user_handle = websafe_decode(options["user"]["id"])
        public = cbor.encode(dict(ES256.from_cryptography_key(self._key.public_key())))
        attested = bytes(16) + len(self.id).to_bytes(2, "big") + self.id + public
        data = self._authenticator_data(ATTESTED) + attested
        made = cbor.encode({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", options["challenge"])
        return self._json(clientDataJSON=client, attestationObject=made)

    def sign(self, options: dict[str, Any]) -> str:
        data = self._authenticator_data(0)
        client = self._client_data("webauthn.get", options["challenge"])
        signature = self._key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        return self._json(
            clientDataJSON=client, authenticatorData=data, signature=signature, userHandle=self.user_handle
        )

    def _authenticator_data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([self.flags | flags]) + self.counter.to_bytes(4)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        return json.dumps({"type": kind, "challenge": challenge, "origin": self.origin}).encode()

    def _json(self, **response: bytes) -> str:
        texts = {name: websafe_encode(value) for name, value in response.items()}
        key = websafe_encode(self.id)
        described = {"id": key, "rawId": key, "type": "public-key", "clientExtensionResults": {}, "response": texts}
        return json.dumps(described)
