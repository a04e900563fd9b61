"""Web push (RFC 8030): a message to one browser, through the push service of its vendor, which cannot read it."""

import time
from email.utils import parseaddr
from http import HTTPStatus
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.lib.outgoing.bounded_http import Fetched, FetchError, fetch
from tms.notifications.transports.base import Recipient, Transport
from tms.notifications.transports.http_client import seconds_of
from tms.notifications.transports.message import Message
from tms.notifications.transports.push import subscription
from tms.notifications.transports.push.encryption import encrypted
from tms.notifications.transports.push.payload import payload, topic
from tms.notifications.transports.result import SendResult

TTL_S = 4 * 3600
"""How long the push service keeps a message for a browser that is off."""
VALID_S = 3600
"""How long the signature is valid; push services accept a day at most."""
GONE = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}
LATER = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}


class Push(Transport):
    name = "push"
    position = 18
    label = _("Browser of a person")
    summary = _("A phone or computer on which a person allowed notifications.")
    icon = "mobile"
    address_label = _("Address at the push service")
    address_hint = _("The browser names it, when its person allows notifications.")
    is_of_browser = True

    def clean_address(self, text: str) -> str:
        return subscription.clean_address(text)

    def send(self, to: Recipient, message: Message) -> SendResult:
        browser_key, secret = (subscription.decoded(to.secrets[name]) for name in ("p256dh", "auth"))
        body = encrypted(payload(message), browser_key=browser_key, secret=secret)
        headers = {
            "Authorization": authorization(to.address, key=to.secrets["vapid"], public=to.secrets["vapid_public"]),
            "Content-Encoding": "aes128gcm",
            "Content-Type": "application/octet-stream",
            "TTL": str(TTL_S),
            "Topic": topic(message),
            "Urgency": "high" if message.severity == "critical" else "normal",
        }
        try:
            # Checked again: the list of push services may have changed since the browser was added.
            answer = fetch(
                subscription.clean_address(to.address),
                permitted=settings.INSIDE_DESTINATIONS,
                may_be_plain=False,
                headers=headers,
                body=body,
            )
        except ValidationError as error:
            return SendResult.failed(" ".join(error.messages))
        except FetchError as error:
            return SendResult.retry(str(error), possibly_delivered=True)
        return _result(answer)


def authorization(address: str, *, key: str, public: str) -> str:
    """Proves to the push service that TMS sends it (RFC 8292). `key`: PEM."""
    import jwt

    parts = urlsplit(address)
    claims = {"aud": f"{parts.scheme}://{parts.netloc}", "exp": int(time.time()) + VALID_S, "sub": contact()}
    return f"vapid t={jwt.encode(claims, key, algorithm='ES256')}, k={public}"


def contact() -> str:
    """How the push service reaches who runs this TMS, should it send too much."""
    if settings.PUSH_CONTACT:
        return settings.PUSH_CONTACT
    if settings.PUBLIC_URL.startswith("https://"):
        return settings.PUBLIC_URL
    return f"mailto:{parseaddr(settings.DEFAULT_FROM_EMAIL)[1]}"


def _result(answer: Fetched) -> SendResult:
    status, text = answer.status, answer.body[:300].decode(errors="replace")
    detail = f"{status} {text}".strip()
    if 200 <= status < 300:
        return SendResult.delivered(gettext("Accepted by the push service."))
    if status in GONE:
        return SendResult.gone(gettext("The browser no longer accepts notifications."))
    if status in LATER or status >= 500:
        return SendResult.retry(detail, retry_after_s=seconds_of(answer.headers.get("Retry-After", "")))
    return SendResult.failed(detail)
