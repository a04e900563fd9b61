"""A push service over TLS, and a browser that subscribed there and really decrypts what arrives (RFC 8188, RFC 8291).

The decryption is written with the primitives, independently of the library by which TMS encrypts.
"""

import base64
import json
import os
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

HOST = "127.0.0.1"


def base64url(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class Browser:
    """One browser with its subscription."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.private = ec.generate_private_key(ec.SECP256R1())
        self.public = _point(self.private.public_key())
        self.secret = os.urandom(16)

    @property
    def form(self) -> dict[str, str]:
        """The subscription as the page sends it."""
        return {"address": self.address, "p256dh": base64url(self.public), "auth": base64url(self.secret)}

    def decrypt(self, body: bytes) -> bytes:
        salt, size, key_length = body[:16], int.from_bytes(body[16:20]), body[20]
        sender, record = body[21 : 21 + key_length], body[21 + key_length :]
        assert len(record) <= size
        shared = self.private.exchange(ec.ECDH(), ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender))
        keyed = HKDF(hashes.SHA256(), 32, self.secret, b"WebPush: info\0" + self.public + sender).derive(shared)
        key = HKDF(hashes.SHA256(), 16, salt, b"Content-Encoding: aes128gcm\0").derive(keyed)
        nonce = HKDF(hashes.SHA256(), 12, salt, b"Content-Encoding: nonce\0").derive(keyed)
        content = AESGCM(key).decrypt(nonce, record, None).rstrip(b"\0")
        assert content.endswith(b"\2"), "not the last record"
        return content[:-1]


class Posted(NamedTuple):
    path: str
    headers: Message
    body: bytes


@dataclass
class PushService:
    """Answers with the entries of `script`, one after the other, and then with 201."""

    certificate: Path
    script: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    posted: list[Posted] = field(default_factory=list)
    browsers: dict[str, Browser] = field(default_factory=dict)

    def __post_init__(self) -> None:
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                service.posted.append(Posted(self.path, self.headers, body))
                status, headers = service.script.pop(0) if service.script else (201, {})
                self.send_response(status)
                for name, value in {"Content-Length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer((HOST, 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.origin = f"https://{HOST}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def browser(self) -> Browser:
        path = f"/push/{len(self.browsers)}"
        self.browsers[path] = Browser(self.origin + path)
        return self.browsers[path]

    @property
    def shown(self) -> list[Any]:
        """What the workers got, in order."""
        return [json.loads(self.browsers[posted.path].decrypt(posted.body)) for posted in self.posted]

    def claims(self, posted: Posted) -> dict[str, Any]:
        """The proof of the sender, checked with its key as push services do."""
        scheme, _space, rest = posted.headers["Authorization"].partition(" ")
        fields = dict(part.strip().split("=", 1) for part in rest.split(","))
        assert scheme == "vapid"
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), from_base64url(fields["k"]))
        claims: dict[str, Any] = jwt.decode(fields["t"], public, algorithms=["ES256"], audience=self.origin)
        return claims

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def running(folder: Path) -> Iterator[PushService]:
    service = PushService(certificate(folder))
    try:
        yield service
    finally:
        service.close()


def certificate(folder: Path) -> Path:
    """A key and its certificate for this machine, which signs itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name, at = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "push service")]), datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(at - timedelta(hours=1)).not_valid_after(at + timedelta(days=1))
    usage = dict.fromkeys(
        ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"), False
    )
    for extension, is_critical in (
        (x509.BasicConstraints(ca=True, path_length=None), True),
        (x509.KeyUsage(True, key_cert_sign=True, encipher_only=False, decipher_only=False, **usage), True),
        (x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False),
        (x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False),
    ):
        builder = builder.add_extension(extension, is_critical)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "push-service.pem"
    path.write_bytes(private + pem)
    return path


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
