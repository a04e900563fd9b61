"""Services without a transport of their own, through Apprise: one URL names the service, the recipient and the key."""

import logging
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.lib.outgoing import ssrf_guard
from tms.lib.outgoing.ssrf_guard import Watch
from tms.notifications.transports import http_client
from tms.notifications.transports.addresses import blocked, require_public
from tms.notifications.transports.base import Recipient, Transport
from tms.notifications.transports.message import TEST, Message
from tms.notifications.transports.result import SendResult

FIXED_HOST = frozenset(
    {
        *("betterstack", "chanify", "cliq", "dingtalk", "discord", "feishu", "firehydrant", "flock", "gchat"),
        *("ifttt", "ilert", "incidentio", "jira", "lark", "line", "nexmo", "opsgenie", "pagerduty", "pagertree"),
        *("pbul", "pover", "ryver", "signl4", "slack", "spike", "splunk", "squadcast", "tgram", "twilio"),
        *("victorops", "vonage", "webex", "wecombot", "wxteams", "xmatters", "zcliq", "zohocliq", "zoom", "zulip"),
    }
)
OWN_HOST = frozenset(
    {
        *("form", "forms", "goalert", "goalerts", "gotify", "gotifys", "json", "jsons", "matrix", "matrixs", "mmost"),
        *("mmosts", "nctalk", "nctalks", "ntfy", "ntfys", "rocket", "rockets", "synology", "synologys", "workflow"),
        *("workflows", "xml", "xmls"),
    }
)
"""Schemes whose address names the host that they connect to."""
SCHEMES = FIXED_HOST | OWN_HOST
"""What is offered of Apprise: it speaks HTTP, on the thread that asks, so that the guard sees where it connects."""
NATIVE = frozenset({"http", "https"})
"""An address as a service shows it, `https://hooks.slack.com/…`; Apprise knows whose it is."""
OPENS_A_FILE = frozenset(
    {
        *("attach", "attachment", "file", "filename", "keyfile", "pgp", "pgpkey", "pgpprv", "pgppub", "subfile"),
        *("template", "wkd"),
    }
)
"""Parameters by which Apprise's services open local files, or what a URL names."""
ADDRESS = re.compile(r"(?<![\s,;])[\s,;]++(?=[A-Za-z][A-Za-z0-9+.-]*+://)")
"""Separates the addresses of a list."""
MAX_ADDRESSES = 10
LAST_PORT = 65_535
TONES = {"critical": "failure", "warning": "warning"}


class Apprise(Transport):
    name = "chat"
    position = 40
    label = _("Chat or pager")
    summary = _("Discord, Google Chat, Zulip, ntfy and over 30 other services, by a URL.")
    icon = "application"
    address_label = _("Apprise URL")
    address_hint = _("discord://…, gchat://…, ntfys://…. It contains a key, so it is not shown again.")

    def clean_address(self, text: str) -> str:
        require_public(str(one.host) for one in carriers(text) if _schemes(one) & OWN_HOST and one.host)
        return text

    def send(self, to: Recipient, message: Message) -> SendResult:
        """Send to one address after the other: Apprise would send to several in threads, which the guard does not
        see.
        """
        try:
            found = carriers(to.address)
        except ValidationError as error:
            return SendResult.failed(str(error.message))
        guard = ssrf_guard.outside_only(settings.INSIDE_DESTINATIONS, within_s=http_client.ALTOGETHER_S)
        with guard as watch, _log() as logged:
            delivered, unsent = _deliver_in_time(found, message, watch)
        if unsent and not watch.refused:
            text = gettext("%(service)s of Apprise sends nothing for a message of this kind and severity.")
            return SendResult.failed(text % {"service": unsent})
        if all(delivered) and len(delivered) == len(found):
            return SendResult.delivered(gettext("Accepted by the service."))
        if watch.refused:
            return SendResult.failed(blocked(watch.refused))
        late, rejected = gettext("No response in time."), gettext("Rejected by the service. Apprise gives no reason.")
        text = logged.getvalue() or (late if all(delivered) else rejected)
        return SendResult.retry(text, possibly_delivered=any(delivered))


def carriers(text: str) -> list[Any]:
    """What Apprise made of each address. Raises ValidationError."""
    urls = [url for url in ADDRESS.split(text.strip(" \t\r\n,;")) if url]
    if len(urls) > MAX_ADDRESSES:
        raise ValidationError(
            gettext("Enter %d addresses at most. Add another destination for the rest.") % MAX_ADDRESSES
        )
    return [_carrier(url) for url in urls]


def _carrier(url: str) -> Any:
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme and scheme not in SCHEMES | NATIVE:
        message = gettext("TMS does not support %(scheme)s:// of Apprise.") % {"scheme": scheme[:20]}
        raise ValidationError(_with_offer(message))
    if opening := sorted(_parameters(url) & OPENS_A_FILE):
        raise ValidationError(
            gettext("Remove the parameter %(name)s: it would open a file on the server.") % {"name": opening[0]}
        )
    carrier = _load_apprise().Apprise.instantiate(url)
    if carrier is None or not _schemes(carrier) & SCHEMES:
        raise ValidationError(_with_offer(gettext("Apprise does not recognise this URL. Check it.")))
    if carrier.port is not None and not 0 < carrier.port <= LAST_PORT:
        raise ValidationError(gettext("The port must be a number from 1 to 65535."))
    # Its address may ask for more (`rto`, `cto`): a worker would wait beyond its lease.
    carrier.socket_connect_timeout = min(http_client.CONNECT_S, carrier.socket_connect_timeout)
    carrier.socket_read_timeout = min(http_client.READ_S, carrier.socket_read_timeout)
    return carrier


def _with_offer(message: str) -> str:
    return f"{message} " + gettext("Use one of these: %(schemes)s.") % {"schemes": ", ".join(sorted(SCHEMES))}


def _parameters(url: str) -> set[str]:
    """Names in the query, without the prefix of Apprise (`+` headers, `-` and `:` values)."""
    query = url.partition("?")[2]
    names = (part.partition("=")[0] for part in re.split(r"[&;?]", query))
    return {unquote(name).strip().lstrip("+-: ").lower() for name in names}


def _schemes(carrier: Any) -> set[str]:
    return {str(scheme) for scheme in carrier.schemas()}


def _deliver_in_time(carriers: Sequence[Any], message: Message, watch: Watch) -> tuple[Sequence[bool], str]:
    """Whether each accepted it; shorter if the time is over before the last one. And a service that sent nothing.

    Some take a note for an incident that they do not have for a success, and connect to nobody.
    """
    until, delivered, unsent = http_client.deadline(), list[bool](), ""
    for one in carriers:
        if time.monotonic() >= until:
            break
        before = watch.connections
        delivered.append(_deliver(one, message))
        if delivered[-1] and watch.connections == before:
            unsent = str(one.service_name)
    return delivered, unsent


def _deliver(carrier: object, message: Message) -> bool:
    apprise = _load_apprise()
    # A test is a warning: several services open an incident for nothing less.
    tone = {"resolved": "success", TEST: "warning"}.get(message.kind) or TONES.get(message.severity, "info")
    one = apprise.Apprise()
    one.add(carrier)
    kind = apprise.NotifyType(tone)
    return bool(one.notify(message.body or message.title, title=message.title, notify_type=kind))


def _log() -> Any:
    """What Apprise logs of a failure. Below a warning it logs whole addresses, with their keys."""
    return _load_apprise().LogCapture(level=logging.WARNING, name="apprise", fmt="%(message)s")


def _load_apprise() -> Any:
    """Loaded with its hundred services where it is used: most processes never need it."""
    import apprise

    return apprise
