"""HTTP clients of nodes, without browsers."""

import re
import ssl
import urllib.request
from http.client import HTTPMessage
from http.cookies import SimpleCookie
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit

from websockets.asyncio.client import connect


class Answer(NamedTuple):
    status: int
    body: str
    headers: HTTPMessage


class StayHere(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


class Person:
    """Keeps its cookies for all nodes, like a browser behind nginx."""

    def __init__(self, trust: ssl.SSLContext) -> None:
        self.cookies: dict[str, str] = {}
        self._trust = trust
        self._opener = urllib.request.build_opener(StayHere, urllib.request.HTTPSHandler(context=trust))

    def sign_in(self, url: str, username: str, password: str) -> None:
        answer = self.post(url, "/sign-in/", on="/sign-in/", username=username, password=password)
        assert answer.status == 302, answer.body

    def get(self, url: str, path: str, **headers: str) -> Answer:
        return self.ask(urllib.request.Request(url + path, headers=headers))

    def post(self, url: str, path: str, *, on: str, **fields: str) -> Answer:
        """Submit a form on the page `on`."""
        return self.send(url, path, self.token(url, on), **fields)

    def send(self, url: str, path: str, token: str, **fields: str) -> Answer:
        data = urlencode({"csrfmiddlewaretoken": token, **fields}).encode()
        secure = f"https://{urlsplit(url).netloc}"
        return self.ask(urllib.request.Request(url + path, data, {"Referer": secure + path, "Origin": secure}))

    def token(self, url: str, on: str) -> str:
        page = self.get(url, on)
        token = re.search(r'csrfmiddlewaretoken" value="(\w+)"', page.body)
        assert token is not None, (page.status, page.body)
        return token[1]

    def board(self, url: str, page: str) -> connect:
        parts = urlsplit(url)
        where = f"{parts.scheme.replace('http', 'ws')}://{parts.netloc}/ws/board/?{urlencode({'page': page})}"
        headers = {"Cookie": self._cookie, "Origin": f"https://{parts.netloc}"}
        trust = {"ssl": self._trust} if parts.scheme == "https" else {}
        return connect(where, additional_headers=headers, max_size=None, **trust)

    @property
    def _cookie(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def ask(self, request: urllib.request.Request, *, timeout_s: float = 30) -> Answer:
        request.add_header("Cookie", self._cookie)
        if request.type == "http":
            request.add_header("X-Forwarded-Proto", "https")  # like nginx, which the nodes trust
        try:
            with self._opener.open(request, timeout=timeout_s) as answer:
                return self._keep(answer.status, answer)
        except HTTPError as answer:
            with answer:
                return self._keep(answer.code, answer)

    def _keep(self, status: int, answer: Any) -> Answer:
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return Answer(status, answer.read().decode(errors="replace"), answer.headers)
