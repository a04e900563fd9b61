"""How a message is handed over, one module a kind of destination."""

from collections.abc import Callable, Mapping

import structlog
from django.utils import translation
from django.utils.translation import gettext

from tms.notifications.destination import Destination, DestinationKind
from tms.notifications.message import Message
from tms.lib.encryption import Unreadable
from tms.notifications.transports import chat, mail, sns, webhook
from tms.notifications.transports.answer import Answer

__all__ = ["Answer", "hand_over"]

log = structlog.get_logger(__name__)

TRANSPORTS: Mapping[str, Callable[[Destination, Message], Answer]] = {
    DestinationKind.EMAIL: mail.hand_over,
    DestinationKind.WEBHOOK: webhook.hand_over,
    DestinationKind.SNS: sns.hand_over,
    DestinationKind.CHAT: chat.hand_over,
}


def hand_over(destination: Destination, message: Message) -> Answer:
    """Send `message` there, and say what came back. Blocks for some seconds at most; never raises."""
    with translation.override(destination.language):
        try:
            return TRANSPORTS[destination.kind](destination, message)
        except Unreadable:
            return Answer.never(gettext("Its secret was sealed under another TMS_SECRET_KEY: enter it again."))
        except Exception as error:
            # A transport's own mistake. Its text may hold an address with a key in it.
            log.exception("hand_over_failed", destination=destination.pk, kind=destination.kind)
            return Answer.later(f"{type(error).__name__}", may_have_arrived=True)
