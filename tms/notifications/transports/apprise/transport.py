"""Slack, Teams, PagerDuty and a hundred others, as Apprise carries them: one URL says where, and with which key."""

import logging
import re
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.utils.translation import gettext

from tms.notifications.models.destination import Destination
from tms.notifications.transports import ssrf_guard
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult
from tms.notifications.transports.webhook.transport import not_outside

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
"""What stands between two addresses of a list."""
MOST_ADDRESSES = 10
LAST_PORT = 65_535
TONES = {"critical": "failure", "warning": "warning"}


class Unsuitable(Exception):
    """Nothing is sent to such an address; the text says why."""


def carriers(text: str) -> list[Any]:
    """What Apprise made of each address. Raises Unsuitable."""
    urls = [url for url in ADDRESS.split(text.strip(" \t\r\n,;")) if url]
    if len(urls) > MOST_ADDRESSES:
        raise Unsuitable(gettext("At most %d addresses; make another destination of the rest.") % MOST_ADDRESSES)
    return [_carrier(url) for url in urls]


def own_hosts(text: str) -> list[str]:
    """The hosts that the addresses name. Raises Unsuitable."""
    return [str(one.host) for one in carriers(text) if _schemes(one) & OWN_HOST and one.host]


def hand_over(destination: Destination, message: Message) -> SendResult:
    """To one after the other: Apprise would send to several in threads, which the guard does not see."""
    try:
        found = carriers(destination.secrets()["url"])
    except Unsuitable as error:
        return SendResult.failed(str(error))
    tone = "success" if message.kind == "resolved" else TONES.get(message.severity, "info")
    with ssrf_guard.outside_only(settings.INSIDE_DESTINATIONS) as watch, _said() as said:
        taken = [_is_taken(one, message, tone) for one in found]
    if all(taken):
        return SendResult.delivered(gettext("The service took it."))
    if watch.refused:
        return SendResult.failed(not_outside(watch.refused))
    text = said.getvalue() or gettext("The service did not take it, and Apprise does not say why.")
    return SendResult.retry(text, possibly_delivered=any(taken))


def _is_taken(carrier: Any, message: Message, tone: str) -> bool:
    apprise = _apprise()
    one = apprise.Apprise()
    one.add(carrier)
    kind = apprise.NotifyType(tone)
    return bool(one.notify(message.body or message.title, title=message.title, notify_type=kind))


def _carrier(url: str) -> Any:
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme and scheme not in SCHEMES | NATIVE:
        raise Unsuitable(_offering(gettext("TMS does not offer Apprise's %(scheme)s://.") % {"scheme": scheme[:20]}))
    if opening := sorted(_parameters(url) & OPENS_A_FILE):
        raise Unsuitable(
            gettext("Remove the parameter %(name)s: it would open a file on the server.") % {"name": opening[0]}
        )
    carrier = _apprise().Apprise.instantiate(url)
    if carrier is None or not _schemes(carrier) & SCHEMES:
        raise Unsuitable(_offering(gettext("Apprise does not know what this address means.")))
    if carrier.port is not None and not 0 < carrier.port <= LAST_PORT:
        raise Unsuitable(gettext("The port is a number from 1 to 65535."))
    return carrier


def _offering(wrong: str) -> str:
    return f"{wrong} " + gettext("Use one of these: %(schemes)s.") % {"schemes": ", ".join(sorted(SCHEMES))}


def _parameters(url: str) -> set[str]:
    """Names in the query, by whatever mark Apprise lets them begin (`+` headers, `-` and `:` values)."""
    query = url.partition("?")[2]
    names = (part.partition("=")[0] for part in re.split(r"[&;?]", query))
    return {unquote(name).strip().lstrip("+-: ").lower() for name in names}


def _schemes(carrier: Any) -> set[str]:
    return {str(scheme) for scheme in carrier.schemas()}


def _said() -> Any:
    """What Apprise logs of a failure. Below a warning it logs whole addresses, with their keys."""
    return _apprise().LogCapture(level=logging.WARNING, name="apprise", fmt="%(message)s")


def _apprise() -> Any:
    """Loaded with its hundred services where it is used: most processes never need it."""
    import apprise

    return apprise
