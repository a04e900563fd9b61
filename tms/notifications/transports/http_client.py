"""HTTP requests of transports: to permitted addresses only, within a deadline, and with errors as results.

Every process imports the transports, but few send anything: urllib3 is imported where it is used.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

from django.conf import settings
from django.utils import timezone
from django.utils.http import parse_http_date_safe
from django.utils.translation import gettext

from tms.lib.outgoing import ssrf_guard
from tms.notifications.transports.addresses import blocked
from tms.notifications.transports.result import SendOutcome, SendResult

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse
    from urllib3.exceptions import HTTPError

CONNECT_S, READ_S, ALTOGETHER_S = 5.0, 10.0, 20.0
MAX_READ = 8_192
"""Bytes of an answer."""

type Headers = Mapping[str, str]

NO_HEADERS: Headers = MappingProxyType({})


@dataclass(frozen=True)
class ApiAnswer:
    """What the API of a service answered. `advice` and `detail` of its errors are the transport's matter."""

    status: int
    reason: str
    headers: Mapping[str, str]
    text: str

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def retry_after_s(self) -> float | None:
        return seconds_of(self.headers.get("Retry-After", ""))

    @cached_property
    def data(self) -> dict[str, object]:
        """Its JSON object; empty for anything else."""
        try:
            found = json.loads(self.text)
        except (ValueError, RecursionError):
            return {}
        return found if isinstance(found, dict) else {}

    def field(self, *names: str) -> str:
        """A text within `data`, by the names on the way to it; empty if there is none."""
        found: object = self.data
        for name in names:
            found = found.get(name) if isinstance(found, dict) else None
        return found if isinstance(found, str) else ""

    def describe(self, text: str = "") -> str:
        """Status and text, verbatim: `404 Not Found: no such bot`."""
        status = f"{self.status} {self.reason}".strip()
        text = text or self.text
        return f"{status}: {text}" if text else status


def guarded(attempt: Callable[[], SendResult]) -> SendResult:
    """The result of an attempt whose sockets connect only to permitted addresses."""
    from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError

    with ssrf_guard.outside_only(settings.INSIDE_DESTINATIONS, within_s=ALTOGETHER_S) as watch:
        try:
            result = attempt()
        except (NewConnectionError, ConnectTimeoutError, SSLError) as error:  # before anything was sent
            result = SendResult.retry(_reason(error))
        except HTTPError as error:
            reason = gettext("No response in time.") if watch.is_over else _reason(error)
            result = SendResult.retry(reason, possibly_delivered=True)
    if watch.refused and result.outcome is not SendOutcome.DELIVERED:
        return SendResult.failed(blocked(watch.refused))
    return result


def deadline() -> float:
    """The deadline of an attempt that begins now, for `request` and `post_json`."""
    return time.monotonic() + ALTOGETHER_S


def request(url: str, body: bytes, headers: Headers, until: float) -> BaseHTTPResponse:
    """One POST, without following redirects; its body is unread. Raises HTTPError."""
    from urllib3 import PoolManager, Timeout

    left = max(0.1, until - time.monotonic())
    pool = PoolManager(1, retries=False, timeout=Timeout(total=left, connect=min(CONNECT_S, left), read=READ_S))
    return pool.request(
        "POST", url, body=body, headers={"User-Agent": "TMS", **headers}, redirect=False, preload_content=False
    )


def post(url: str, body: bytes, headers: Headers, until: float) -> ApiAnswer:
    """Raises HTTPError."""
    response = request(url, body, headers, until)
    return ApiAnswer(response.status, response.reason or "", response.headers, excerpt(response, until))


def post_json(url: str, content: Mapping[str, object], until: float, headers: Headers = NO_HEADERS) -> ApiAnswer:
    """Raises HTTPError."""
    sent = {"Content-Type": "application/json; charset=utf-8", **headers}
    return post(url, json.dumps(content, ensure_ascii=False).encode(), sent, until)


def excerpt(response: BaseHTTPResponse, until: float) -> str:
    """The begin of its body; closes it."""
    from urllib3.exceptions import HTTPError

    found = bytearray()
    try:
        while len(found) < MAX_READ and time.monotonic() < until and (chunk := response.read1(decode_content=False)):
            found += chunk
    except HTTPError:  # the status suffices
        pass
    finally:
        response.close()
    return found[:MAX_READ].decode(errors="replace")


def seconds_of(retry_after: str) -> float | None:
    """Seconds, or an instant (RFC 9110, 10.2.3)."""
    if retry_after.isdecimal():
        return float(retry_after)
    until = parse_http_date_safe(retry_after)
    return None if until is None else max(0.0, until - timezone.now().timestamp())


def _reason(error: HTTPError) -> str:
    """The reason without the path, which many services use as a key."""
    from urllib3.exceptions import TimeoutError as TimedOut

    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return gettext("No response in time.") if isinstance(error, TimedOut) else type(error).__name__
