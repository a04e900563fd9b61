"""Transports by name. A module that declares a class of one is a plug-in.

Forms, pages, REST, metrics and tests are derived from these.
"""

import pkgutil
import traceback
from collections.abc import Iterator, Mapping
from importlib import import_module
from inspect import isabstract

import structlog
from django.utils import translation
from django.utils.functional import Promise

from tms.notifications.transports.base import Recipient, ServiceTransport, Transport
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult

__all__ = [
    "ENTERED",
    "TRANSPORTS",
    "Message",
    "Recipient",
    "SendResult",
    "ServiceTransport",
    "Transport",
    "choices",
    "send",
]

log = structlog.get_logger(__name__)


def _find_transports() -> Iterator[Transport]:
    """One of each class that a module of this package declares; abstract classes are what they share."""
    for module in pkgutil.walk_packages(__path__, f"{__name__}."):
        for each in vars(import_module(module.name)).values():
            if _is_transport(each) and each.__module__ == module.name:
                yield each()


def _is_transport(each: object) -> bool:
    return isinstance(each, type) and issubclass(each, Transport) and not isabstract(each)


TRANSPORTS: Mapping[str, Transport] = {
    each.name: each for each in sorted(_find_transports(), key=lambda each: (each.position, each.name))
}

ENTERED: Mapping[str, Transport] = {name: each for name, each in TRANSPORTS.items() if not each.is_of_browser}
"""The transports whose addresses people enter."""


def choices() -> list[tuple[str, str | Promise]]:
    """The choices of `Destination.kind`. A function, so that a new transport needs no migration; 0001_initial refers
    to it.
    """
    return [(each.name, each.label) for each in TRANSPORTS.values()]


def send(kind: str, to: Recipient, message: Message, *, language: str) -> SendResult:
    """One attempt, in the language of its destination. Blocks for some seconds at most, and never raises."""
    with translation.override(language):
        try:
            return TRANSPORTS[kind].send(to, message)
        except Exception as error:  # noqa: BLE001  # a plug-in may raise anything
            return _report_unexpected(kind, error)


def _report_unexpected(kind: str, error: Exception) -> SendResult:
    """An error of the transport itself, logged without its text, for that may hold an address with a key in it."""
    name, frames = type(error).__name__, traceback.format_tb(error.__traceback__)
    log.error("send_failed", kind=kind, error=name, frames="".join(frames))
    return SendResult.retry(name, possibly_delivered=True)
