"""How a message is handed over, one module a kind of destination."""

from collections.abc import Callable, Mapping

import structlog
from django.utils import translation
from django.utils.translation import gettext

from tms.lib.encryption import DecryptionError
from tms.notifications.models.destination import Destination, DestinationKind
from tms.notifications.transports.apprise import transport as apprise_transport
from tms.notifications.transports.email import transport as email_transport
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult
from tms.notifications.transports.sns import transport as sn_transport
from tms.notifications.transports.webhook import transport as webhook_transport

__all__ = ["SendResult", "send"]

log = structlog.get_logger(__name__)

TRANSPORTS: Mapping[str, Callable[[Destination, Message], SendResult]] = {
    DestinationKind.EMAIL: email_transport.hand_over,
    DestinationKind.WEBHOOK: webhook_transport.hand_over,
    DestinationKind.SNS: sn_transport.hand_over,
    DestinationKind.CHAT: apprise_transport.hand_over,
}


def send(destination: Destination, message: Message) -> SendResult:
    """Send `message` there, and say what came back. Blocks for some seconds at most; never raises."""
    with translation.override(destination.language):
        try:
            return TRANSPORTS[destination.kind](destination, message)
        except DecryptionError:
            return SendResult.failed(gettext("Its secret was sealed under another TMS_SECRET_KEY: enter it again."))
        except Exception as error:
            # A transport's own mistake. Its text may hold an address with a key in it.
            log.exception("hand_over_failed", destination=destination.pk, kind=destination.kind)
            return SendResult.retry(f"{type(error).__name__}", possibly_delivered=True)
