"""CloudEvents 1.0 (structured, JSON) over HTTP POST, signed after the Standard Webhooks convention."""

import base64
import hashlib
import hmac
import json
import time
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urljoin, urlsplit

import urllib3
from django.conf import settings
from django.utils import timezone
from django.utils.http import parse_http_date_safe
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from urllib3 import BaseHTTPResponse, Timeout
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    LocationParseError,
    NewConnectionError,
    SSLError,
)
from urllib3.exceptions import (
    TimeoutError as TimedOut,
)

from tms.lib.outgoing import ssrf_guard
from tms.notifications.transports.addresses import blocked
from tms.notifications.transports.base import Recipient, Transport
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendOutcome, SendResult
from tms.notifications.transports.webhook import form

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
CONNECT_S, READ_S, ALTOGETHER_S = 5.0, 10.0, 20.0
MAX_HOPS = 3
MAX_READ = 2_048
"""Bytes of an answer."""
FOLLOWED = {HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT}
"""Redirects that repeat the request unchanged. Others change its method."""
USELESS_TO_REPEAT = {
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.GONE,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.NOT_IMPLEMENTED,
}
"""These statuses are about the message itself; anything else may be mended while TMS retries."""
NEVER_SENT = (NewConnectionError, ConnectTimeoutError, SSLError)


class Webhook(Transport):
    name = "webhook"
    position = 20
    label = _("Webhook")
    address_label = form.LABEL
    address_hint = form.HINT
    has_signing_key = True

    def clean_address(self, text: str) -> str:
        return form.clean_address(text)

    def send(self, to: Recipient, message: Message) -> SendResult:
        # Sorted, since the database may return keys in another order: each attempt is the same to the byte.
        body = json.dumps(event(message), ensure_ascii=False, sort_keys=True).encode()
        headers = {
            "Content-Type": CONTENT_TYPE,
            "User-Agent": "TMS",
            **signature(message.uid, body, key=to.secrets["key"], at=timezone.now()),
            **({"TMS-Possible-Duplicate": "true"} if message.possible_duplicate else {}),
        }
        with ssrf_guard.outside_only(settings.INSIDE_DESTINATIONS) as watch:
            result = _attempt(to.address, body, headers)
        if watch.refused and result.outcome is not SendOutcome.DELIVERED:
            return SendResult.failed(blocked(watch.refused))
        return result


def event(message: Message) -> dict[str, Any]:
    """The message as a CloudEvent."""
    about = {"subject": message.subject} if message.subject else {}
    # Extensions are lower-case letters and digits; a false one is left out.
    extensions = {"possibleduplicate": True} if message.possible_duplicate else {}
    return {
        "specversion": "1.0",
        "id": message.uid,
        "source": settings.PUBLIC_URL or "/tms",
        "type": f"tms.{'incidents' if 'incidents' in message.facts else 'alerts'}.{message.kind}.v1",
        "time": message.at.isoformat(),
        **about,
        **extensions,
        "datacontenttype": "application/json",
        "data": {"title": message.title, "text": message.body, **message.facts},
    }


def signature(uid: str, body: bytes, *, key: str, at: datetime) -> dict[str, str]:
    """Headers that prove who sent `body`, and when (https://www.standardwebhooks.com)."""
    seconds = str(int(at.timestamp()))
    content = b".".join((uid.encode(), seconds.encode(), body))
    digest = hmac.digest(base64.b64decode(key.removeprefix("whsec_")), content, hashlib.sha256)
    signed = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": uid, "webhook-timestamp": seconds, "webhook-signature": signed}


def _attempt(url: str, body: bytes, headers: dict[str, str]) -> SendResult:
    try:
        return _post(url, body, headers)
    except NEVER_SENT as error:
        return SendResult.retry(_reason(error))
    except HTTPError as error:
        return SendResult.retry(_reason(error), possibly_delivered=True)


def _post(url: str, body: bytes, headers: dict[str, str]) -> SendResult:
    deadline = time.monotonic() + ALTOGETHER_S
    for _hop in range(MAX_HOPS + 1):
        try:
            response = _request(url, body, headers, deadline)
        except LocationParseError:
            return SendResult.failed(gettext("Not a valid URL."))
        status, to = response.status, response.headers.get("Location", "")
        if status not in FOLLOWED or not to:
            return _result(response)
        response.close()
        url = urljoin(url, to)
        if urlsplit(url).scheme not in {"http", "https"}:
            return SendResult.failed(gettext("Redirected to an address that is not HTTP."))
    return SendResult.retry(gettext("Redirected more than %(times)s times.") % {"times": MAX_HOPS})


def _request(url: str, body: bytes, headers: dict[str, str], deadline: float) -> BaseHTTPResponse:
    left = max(0.1, deadline - time.monotonic())
    pool = urllib3.PoolManager(1, retries=False, timeout=Timeout(total=left, connect=min(CONNECT_S, left), read=READ_S))
    return pool.request("POST", url, body=body, headers=headers, redirect=False, preload_content=False)


def _result(response: BaseHTTPResponse) -> SendResult:
    status = f"{response.status} {response.reason or ''}".strip()
    text = _excerpt(response)
    detail = f"{status}: {text}" if text else status
    if 200 <= response.status < 300:
        return SendResult.delivered(detail)
    if 300 <= response.status < 400:
        return SendResult.retry(detail + " " + gettext("This kind of redirect is not followed. Enter the new URL."))
    if response.status in USELESS_TO_REPEAT:
        return SendResult.failed(detail)
    return SendResult.retry(detail, retry_after_s=_wait(response.headers.get("Retry-After", "")))


def _excerpt(response: BaseHTTPResponse) -> str:
    try:
        return response.read(MAX_READ, decode_content=False).decode(errors="replace")
    except HTTPError:  # the status suffices
        return ""
    finally:
        response.close()


def _wait(retry_after: str) -> float | None:
    """Seconds, or an instant (RFC 9110, 10.2.3)."""
    if retry_after.isdecimal():
        return float(retry_after)
    until = parse_http_date_safe(retry_after)
    return None if until is None else max(0.0, until - timezone.now().timestamp())


def _reason(error: HTTPError) -> str:
    """Without the path, which many services use as a key."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return gettext("No response in time.") if isinstance(error, TimedOut) else type(error).__name__
