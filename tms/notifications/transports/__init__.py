"""Transports by name, one package a plug-in: `form.py` checks its address, `transport.py` sends.

A new one is a package here and an entry in `TRANSPORTS`; forms, pages, REST, metrics and tests follow from that.
"""

import traceback
from collections.abc import Mapping

import structlog
from django.utils import translation
from django.utils.functional import Promise

from tms.notifications.transports.apprise.transport import Apprise
from tms.notifications.transports.base import Recipient, Transport
from tms.notifications.transports.email.transport import Email
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult
from tms.notifications.transports.sns.transport import Sns
from tms.notifications.transports.webhook.transport import Webhook

__all__ = ["TRANSPORTS", "Message", "Recipient", "SendResult", "Transport", "choices", "send"]

log = structlog.get_logger(__name__)

TRANSPORTS: Mapping[str, Transport] = {each.name: each for each in (Email(), Webhook(), Sns(), Apprise())}


def choices() -> list[tuple[str, str | Promise]]:
    """Of `Destination.kind`. A function, so that a new transport needs no migration; 0008_names refers to it."""
    return [(each.name, each.label) for each in TRANSPORTS.values()]


def send(kind: str, to: Recipient, message: Message, *, language: str) -> SendResult:
    """One attempt, in the language of its destination. Blocks for some seconds at most, and never raises."""
    with translation.override(language):
        try:
            return TRANSPORTS[kind].send(to, message)
        except Exception as error:  # noqa: BLE001  # a plug-in may raise anything
            return _unexpected(kind, error)


def _unexpected(kind: str, error: Exception) -> SendResult:
    """An error of the transport itself, logged without its text, for that may hold an address with a key in it."""
    name, frames = type(error).__name__, traceback.format_tb(error.__traceback__)
    log.error("send_failed", kind=kind, error=name, frames="".join(frames))
    return SendResult.retry(name, possibly_delivered=True)
