"""Addresses of Apprise: which services are offered, and what is refused."""

import re
from typing import Any
from urllib.parse import unquote

from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.notifications.transports.addresses import require_public
from tms.notifications.transports.http_client import CONNECT_S, READ_S

LABEL = _("Apprise URL")
HINT = _("discord://…, gchat://…, ntfys://…. It contains a key, so it is not shown again.")
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


def clean_address(text: str) -> str:
    """Raises ValidationError."""
    require_public(str(one.host) for one in carriers(text) if _schemes(one) & OWN_HOST and one.host)
    return text


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
    carrier = load_apprise().Apprise.instantiate(url)
    if carrier is None or not _schemes(carrier) & SCHEMES:
        raise ValidationError(_with_offer(gettext("Apprise does not recognise this URL. Check it.")))
    if carrier.port is not None and not 0 < carrier.port <= LAST_PORT:
        raise ValidationError(gettext("The port must be a number from 1 to 65535."))
    # Its address may ask for more (`rto`, `cto`): a worker would wait beyond its lease.
    carrier.socket_connect_timeout = min(CONNECT_S, carrier.socket_connect_timeout)
    carrier.socket_read_timeout = min(READ_S, carrier.socket_read_timeout)
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


def load_apprise() -> Any:
    """Loaded with its hundred services where it is used: most processes never need it."""
    import apprise

    return apprise
