"""A real identity provider, oidc-provider on Node, and a browser without a screen that signs in there."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPRedirectHandler, Request, build_opener

from tests.support.polling import DEADLINE_S
from tests.support.servers.tms import ROOT

SCRIPT = Path(__file__).with_suffix(".js")


class Client(dict[str, Any]):
    """A client of the provider, as dynamic registration returned it."""

    @property
    def id(self) -> str:
        return str(self["client_id"])

    @property
    def secret(self) -> str:
        return str(self["client_secret"])


class IdentityProviderServer:
    """Starts at the first use, with nobody in it."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(["node", str(SCRIPT)], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.issuer = self._process.stdout.readline().strip()
        assert self.issuer.startswith("http"), "oidc-provider did not start"

    def close(self) -> None:
        self._process.terminate()
        self._process.communicate(timeout=DEADLINE_S)

    def put(self, name: str, **claims: Any) -> None:
        """Add a person, or change their claims."""
        self._send("PUT", f"/people/{name}", claims)

    def remove(self, name: str) -> None:
        """Remove a person. Returns when every client has answered their logout token."""
        self._send("DELETE", f"/people/{name}")

    def register(self, base: str, slug: str = "company", *, jwks: Mapping[str, Any] | None = None) -> Client:
        """A confidential client for the TMS at `base`, which has a secret or these public keys."""
        proof: dict[str, Any] = {"token_endpoint_auth_method": "client_secret_basic"}
        if jwks is not None:
            proof = {"token_endpoint_auth_method": "private_key_jwt", "jwks": jwks}
        answer = self._send(
            "POST",
            "/reg",
            {
                "redirect_uris": [f"{base}/sign-in/provider/{slug}/callback/"],
                "backchannel_logout_uri": f"{base}/providers/{slug}/logout/",
                "backchannel_logout_session_required": True,
                "post_logout_redirect_uris": [f"{base}/sign-in/"],
                **proof,
                "scope": "openid profile email groups",
            },
        )
        return Client(json.loads(answer))

    def _send(self, method: str, path: str, values: Mapping[str, Any] | None = None) -> bytes:
        data = None if values is None else json.dumps(values).encode()
        request = Request(self.issuer + path, data, {"Content-Type": "application/json"}, method=method)
        with build_opener().open(request, timeout=DEADLINE_S) as answer:
            return bytes(answer.read())


class NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


class Visitor:
    """A browser that follows redirects within the provider, fills its form, and stops before it leaves."""

    def __init__(self) -> None:
        self._open = build_opener(HTTPCookieProcessor(CookieJar()), NoRedirect())

    def sign_in(self, address: str, name: str) -> str:
        """Where the provider sends the browser back to, after `name` signed in at `address`."""
        origin = re.match(r"http://[^/]+", address)
        assert origin is not None
        data = None
        while True:
            to = self._ask(address, data)
            data = None
            if to is None:
                data = urlencode({"name": name}).encode()
            elif to.startswith(("/", origin[0])):
                address = to if to.startswith("http") else origin[0] + to
            else:
                return to

    def _ask(self, address: str, data: bytes | None) -> str | None:
        """The address of a redirect; None for the form."""
        try:
            with self._open.open(Request(address, data), timeout=DEADLINE_S) as answer:
                assert answer.status == 200
                return None
        except HTTPError as answer:
            if answer.code not in (302, 303):
                raise
            return str(answer.headers["Location"])


@contextmanager
def running() -> Iterator[IdentityProviderServer]:
    server = IdentityProviderServer()
    try:
        yield server
    finally:
        server.close()
