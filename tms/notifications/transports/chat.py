"""Slack, Teams, PagerDuty and a hundred others, as Apprise carries them: one URL says where, and with which key."""

import logging
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

from tms.notifications import guard
from tms.notifications.destination import Destination
from tms.notifications.message import Message
from tms.notifications.transports.answer import Answer
from tms.notifications.transports.webhook import not_outside

UNGUARDED = frozenset(
    {
        *("dbus", "gio", "glib", "gnome", "kde", "macosx", "qt", "syslog", "windows"),  # speak on this machine only
        *("mqtt", "mqtts", "ircs", "irc", "xmpp", "xmpps", "slixmpp"),  # connect in threads or loops of their own
    }
)
"""Schemes that are not offered: nothing would be told, or the guard would not see where they connect."""
TONES = {"critical": "failure", "warning": "warning"}


def is_carried(url: str) -> bool:
    """Whether Apprise knows what the URL means."""
    return url.partition("://")[0].lower() not in UNGUARDED and _apprise().Apprise.instantiate(url) is not None


def hand_over(destination: Destination, message: Message) -> Answer:
    url = destination.secrets()["url"]
    if not is_carried(url):
        return Answer.never(gettext("Apprise does not know what this address means."))
    apprise = _apprise()
    carrier = apprise.Apprise()
    carrier.add(url)
    tone = "success" if message.kind == "resolved" else TONES.get(message.severity, "info")
    with guard.outside_only(settings.INSIDE_DESTINATIONS) as watch, _said() as said:
        is_taken = carrier.notify(
            message.body or message.title, title=message.title, notify_type=apprise.NotifyType(tone)
        )
    if is_taken:
        return Answer.taken(gettext("The service took it."))
    if watch.refused:
        return Answer.never(not_outside(watch.refused))
    return Answer.later(said.getvalue() or gettext("The service did not take it, and Apprise does not say why."))


def _said() -> Any:
    """What Apprise logs of a failure. Below a warning it logs whole addresses, with their keys."""
    return _apprise().LogCapture(level=logging.WARNING, name="apprise", fmt="%(message)s")


def _apprise() -> Any:
    """Loaded with its hundred services where it is used: most processes never need it."""
    import apprise

    return apprise
