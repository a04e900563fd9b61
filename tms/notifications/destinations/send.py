"""One attempt to send a message to a destination."""

from django.utils import translation
from django.utils.translation import gettext

from tms.lib.encryption import DecryptionError
from tms.notifications import transports
from tms.notifications.models.destination import Destination
from tms.notifications.models.device import PushDevice
from tms.notifications.transports import TRANSPORTS, Message, Recipient, SendResult


def send(destination: Destination, message: Message) -> SendResult:
    """One attempt. Blocks for some seconds at most, and never raises."""
    if destination.kind not in TRANSPORTS:  # created by a newer release
        return SendResult.retry(f"TMS has no transport {destination.kind}")
    try:
        to = _recipient(destination)
    except PushDevice.DoesNotExist:
        return SendResult.failed("The browser was removed")
    except DecryptionError:
        with translation.override(destination.language):
            return SendResult.failed(gettext("The secret was encrypted with another TMS_SECRET_KEY. Enter it again."))
    return transports.send(destination.kind, to, message, language=destination.language)


def _recipient(destination: Destination) -> Recipient:
    """Raises DecryptionError, and PushDevice.DoesNotExist for a browser that its person removed a moment ago."""
    if not destination.is_browser:
        return destination.recipient()
    return PushDevice.objects.select_related("key", "destination").get(destination=destination).recipient()
