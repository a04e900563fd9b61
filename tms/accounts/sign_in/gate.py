"""Limits sign-in forms before they reach Django, at a rate that pages do not notice.

A rejection by the throttle costs as much as a page. Beyond a few per second the gate returns a prepared response after
one second, so that guessing loops wait instead of causing work.
"""

import asyncio
import io
import math
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.csp import build_policy

from tms.accounts.sign_in import device
from tms.accounts.sign_in.throttle import network
from tms.lib.token_bucket import TokenBucket
from tms.metrics.instruments import SIGN_INS
from tms.server.asgi import Receive, Scope, Send

type Application = Callable[[Scope, Any, Any], Awaitable[None]]
"""An application of Django: its type is wider than that of ours."""

PATH = "/sign-in/"
BURST = 30
TOTAL_PER_MINUTE, TOTAL_BURST = 120, BURST
"""Forms of unknown devices. A burst costs as much as so many pages, and few of its passwords are hashed anyway."""
DELAY_S = 1.0
MAX_DELAYED = 500
MAX_CLIENTS = 10_000


class SignInGate:
    """`address_of` returns the client address of a connection, also behind trusted proxies."""

    def __init__(
        self,
        application: Application,
        *,
        address_of: Callable[[Scope], str | None],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._application = application
        self._address_of = address_of
        self._now = now
        self._clients: OrderedDict[str, TokenBucket] = OrderedDict()
        self._total = TokenBucket(per_minute=TOTAL_PER_MINUTE, burst=TOTAL_BURST, at=now())
        self._delayed = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].startswith(PATH):
            await self._application(scope, receive, send)
            return
        request = ASGIRequest(scope, io.BytesIO())
        full = self._full(device.of(request.COOKIES), self._address_of(scope), self._now())
        if full is None:
            await self._application(scope, receive, send)
            return
        SIGN_INS.labels("flooded").inc()
        await self._delay()
        await answer(send, language_of(request), math.ceil(full.wait_s))

    def _full(self, known: device.KnownDevice | None, address: str | None, at: float) -> TokenBucket | None:
        """The bucket that is empty. A known device need not share the total of unknown ones."""
        own = self._bucket(known.id if known else network(address or ""), at)
        if not own.take(at):
            return own
        return None if known or self._total.take(at) else self._total

    def _bucket(self, key: str, at: float) -> TokenBucket:
        if key not in self._clients:
            self._clients[key] = TokenBucket(per_minute=settings.SIGN_IN_FORMS_PER_MINUTE, burst=BURST, at=at)
        self._clients.move_to_end(key)
        while len(self._clients) > MAX_CLIENTS:
            self._clients.popitem(last=False)
        return self._clients[key]

    async def _delay(self) -> None:
        if self._delayed >= MAX_DELAYED:
            return
        self._delayed += 1
        try:
            await asyncio.sleep(DELAY_S)
        finally:
            self._delayed -= 1


async def answer(send: Send, language: str, wait_s: int) -> None:
    headers = [
        (b"content-type", b"text/html; charset=utf-8"),
        (b"content-language", language.encode()),
        (b"cache-control", b"no-store"),
        (b"retry-after", str(wait_s).encode()),
        (b"content-security-policy", build_policy(settings.SECURE_CSP).encode()),  # type: ignore[arg-type]  # django-stubs: object
        (b"permissions-policy", settings.PERMISSIONS_POLICY.encode()),
        (b"x-content-type-options", b"nosniff"),
    ]
    await send({"type": "http.response.start", "status": 429, "headers": headers})
    await send({"type": "http.response.body", "body": page(language)})


def language_of(request: ASGIRequest) -> str:
    """The language of the cookie, otherwise of the browser; no person is known yet."""
    return translation.get_language_from_request(request)


@cache
def page(language: str) -> bytes:
    with translation.override(language):
        return render_to_string("accounts/wait.html", {"reason": "flooded", "LANGUAGE_CODE": language}).encode()
