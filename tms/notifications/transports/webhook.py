"""CloudEvents 1.0 (structured, JSON) over HTTP POST, signed after the Standard Webhooks convention."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports import http_client
from tms.notifications.transports.addresses import require_public
from tms.notifications.transports.base import Recipient, Transport
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
BATCH_TYPE = "application/cloudevents-batch+json; charset=utf-8"
MAX_HOPS = 3
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


class Webhook(Transport):
    name = "webhook"
    position = 20
    label = _("Webhook")
    summary = _("A signed event as JSON, for software of your own.")
    icon = "event"
    address_label = _("URL")
    address_hint = _("https://… Hidden after saving, as it may contain a secret.")
    has_signing_key = True
    has_links = False
    takes_events = True

    def clean_address(self, text: str) -> str:
        """Check it with the parser of what connects later, so that both mean the same host."""
        from urllib3.exceptions import LocationParseError
        from urllib3.util import parse_url

        try:
            parts = parse_url(text)
        except LocationParseError:
            message = gettext("Not a URL. Enter one such as https://example.com/hook; a port must be from 1 to 65535.")
            raise ValidationError(message) from None
        if parts.auth is not None:
            raise ValidationError(gettext("Remove the username and password before the @. TMS signs what it sends."))
        try:
            URLValidator(schemes=("http", "https"))(text)
        except ValidationError:
            raise ValidationError(gettext("Enter a URL that begins with https://.")) from None
        require_public([parts.host or ""])
        return text

    def send(self, to: Recipient, message: Message) -> SendResult:
        events = message.facts.get("events")
        content = event(message) if events is None else [_enveloped(each, message) for each in events]
        # Sorted, since the database may return keys in another order: each attempt is the same to the byte.
        body = json.dumps(content, ensure_ascii=False, sort_keys=True).encode()
        headers = {
            "Content-Type": CONTENT_TYPE if events is None else BATCH_TYPE,
            **signature(message.uid, body, key=to.secrets["key"], at=timezone.now()),
            **({"TMS-Possible-Duplicate": "true"} if message.possible_duplicate else {}),
        }
        return http_client.guarded(lambda: _post(to.address, body, headers))


def event(message: Message) -> dict[str, object]:
    """The message as a CloudEvent."""
    about = {"subject": message.subject} if message.subject else {}
    attributes = {
        "id": message.uid,
        "type": f"tms.{_family(message)}.{message.kind}.v1",
        "time": message.at.isoformat(),
        **about,
        "data": {"title": message.title, "text": message.body, **message.facts},
    }
    return _enveloped(attributes, message)


def _family(message: Message) -> str:
    return next((name for name in ("incidents", "jobs", "rollouts") if name in message.facts), "alerts")


def _enveloped(attributes: Mapping[str, object], message: Message) -> dict[str, object]:
    """The CloudEvent with these attributes, as one that this message has."""
    # Extensions are lower-case letters and digits; a false one is left out.
    extensions = {"possibleduplicate": True} if message.possible_duplicate else {}
    return {
        "specversion": "1.0",
        "source": settings.PUBLIC_URL or "/tms",
        "datacontenttype": "application/json",
        **attributes,
        **extensions,
    }


def signature(uid: str, body: bytes, *, key: str, at: datetime) -> dict[str, str]:
    """Headers that prove who sent `body`, and when (https://www.standardwebhooks.com)."""
    seconds = str(int(at.timestamp()))
    content = b".".join((uid.encode(), seconds.encode(), body))
    digest = hmac.digest(base64.b64decode(key.removeprefix("whsec_")), content, hashlib.sha256)
    signed = f"v1,{base64.b64encode(digest).decode()}"
    return {"webhook-id": uid, "webhook-timestamp": seconds, "webhook-signature": signed}


def _post(url: str, body: bytes, headers: dict[str, str]) -> SendResult:
    from urllib3.exceptions import LocationParseError

    until = http_client.deadline()
    for _hop in range(MAX_HOPS + 1):
        try:
            response = http_client.request(url, body, headers, until)
        except LocationParseError:
            return SendResult.failed(gettext("Not a valid URL."))
        status, to = response.status, response.headers.get("Location", "")
        if status not in FOLLOWED or not to:
            return _result(response, until)
        response.close()
        url = _join(url, to)
        if not url:
            return SendResult.failed(gettext("Redirected to an address that is not HTTP."))
    return SendResult.retry(gettext("Redirected more than %(times)s times.") % {"times": MAX_HOPS})


def _join(url: str, to: str) -> str:
    """Where a redirect leads; empty if that is no HTTP address."""
    try:
        joined = urljoin(url, to)
        return joined if urlsplit(joined).scheme in {"http", "https"} else ""
    except ValueError:  # brackets that are no address
        return ""


def _result(response: BaseHTTPResponse, until: float) -> SendResult:
    status = f"{response.status} {response.reason or ''}".strip()
    text = http_client.excerpt(response, until)
    detail = f"{status}: {text}" if text else status
    if 200 <= response.status < 300:
        return SendResult.delivered(detail)
    if 300 <= response.status < 400:
        return SendResult.retry(detail + " " + gettext("This kind of redirect is not followed. Enter the new URL."))
    if response.status in USELESS_TO_REPEAT:
        return SendResult.failed(detail)
    return SendResult.retry(detail, retry_after_s=http_client.seconds_of(response.headers.get("Retry-After", "")))
