"""Services without a transport of their own, through Apprise: one URL names the service, the recipient and the key."""

import logging
import time
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from tms.lib.outgoing import ssrf_guard
from tms.lib.outgoing.ssrf_guard import Watch
from tms.notifications.transports import http_client
from tms.notifications.transports.addresses import blocked
from tms.notifications.transports.apprise import form
from tms.notifications.transports.apprise.form import load_apprise
from tms.notifications.transports.base import Recipient, Transport
from tms.notifications.transports.message import TEST, Message
from tms.notifications.transports.result import SendResult

TONES = {"critical": "failure", "warning": "warning"}


class Apprise(Transport):
    name = "chat"
    position = 40
    label = _("Chat or pager")
    summary = _("Discord, Google Chat, Zulip, ntfy and over 30 other services, by a URL.")
    icon = "application"
    address_label = form.LABEL
    address_hint = form.HINT

    def clean_address(self, text: str) -> str:
        return form.clean_address(text)

    def send(self, to: Recipient, message: Message) -> SendResult:
        """To one after the other: Apprise would send to several in threads, which the guard does not see."""
        try:
            found = form.carriers(to.address)
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


def _deliver(carrier: Any, message: Message) -> bool:
    apprise = load_apprise()
    # A test is a warning: several services open an incident for nothing less.
    tone = {"resolved": "success", TEST: "warning"}.get(message.kind) or TONES.get(message.severity, "info")
    one = apprise.Apprise()
    one.add(carrier)
    kind = apprise.NotifyType(tone)
    return bool(one.notify(message.body or message.title, title=message.title, notify_type=kind))


def _log() -> Any:
    """What Apprise logs of a failure. Below a warning it logs whole addresses, with their keys."""
    return load_apprise().LogCapture(level=logging.WARNING, name="apprise", fmt="%(message)s")
