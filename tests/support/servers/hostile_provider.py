"""An identity provider that answers as a test says: wrong tokens, wrong documents, too much, too late."""

import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from jwt.algorithms import ECAlgorithm

from tests.support.polling import DEADLINE_S

CLIENT = "tms"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"


class HostileProvider:
    """`answers` has the body of each path: JSON, or bytes as they are."""

    def __init__(self) -> None:
        hostile = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hostile._answer(self)

            def do_POST(self) -> None:
                self.rfile.read(int(self.headers["Content-Length"]))
                hostile._answer(self)

            def log_message(self, *args: object) -> None: ...

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.key, self.other_key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
        self.asked: list[str] = []
        self.held: dict[str, threading.Event] = {}
        """Paths that are answered only when their event is set."""
        self.document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/me",
        }
        self.answers: dict[str, Any] = {
            "/.well-known/openid-configuration": self.document,
            "/keys": {"keys": [public(self.key, "first")]},
            "/me": {},
        }
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self) -> None:
        for event in self.held.values():
            event.set()
        self._server.shutdown()
        self._server.server_close()

    def id_token(self, right: str, **changes: Any) -> str:
        """`right`: the nonce of the sign-in. `None` leaves a claim out."""
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "keiko", "iat": now, "exp": now + 300, "nonce": right}
        return self.sign({**claims, **changes})

    def logout_token(self, **changes: Any) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": "1", "sub": "keiko"}
        return self.sign({**claims, "events": {LOGOUT_EVENT: {}}, **changes}, typ="logout+jwt")

    def sign(self, claims: Mapping[str, Any], *, key: Any = None, algorithm: str = "ES256", **head: str) -> str:
        given = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(given, self.key if key is None else key, algorithm, {"kid": "first", **head})

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        path = handler.path.partition("?")[0]
        self.asked.append(path)
        if path in self.held:
            self.held[path].wait(DEADLINE_S)
        answer = self.answers.get(path)
        status, headers = 200 if answer is not None else 404, {}
        if isinstance(answer, tuple):
            status, headers, answer = answer
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        with suppress(OSError):  # TMS did not wait
            self._send(handler, status, headers, body)

    def _send(self, handler: BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], body: bytes) -> None:
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)


def public(key: EllipticCurvePrivateKey, kid: str) -> dict[str, Any]:
    return {**ECAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": kid, "use": "sig"}


@contextmanager
def running() -> Iterator[HostileProvider]:
    server = HostileProvider()
    try:
        yield server
    finally:
        server.close()
