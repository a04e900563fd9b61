"""The message of the test button."""

from uuid import uuid4

from django.utils import timezone, translation
from django.utils.translation import gettext

from tms.accounts.audit import recorder
from tms.notifications.destinations.send import send
from tms.notifications.models.destination import Destination
from tms.notifications.transports import SendResult
from tms.notifications.transports.message import TEST, Message


def send_test(destination: Destination) -> SendResult:
    with translation.override(destination.language):
        message = Message(
            uid=str(uuid4()),
            at=timezone.now(),
            kind=TEST,
            title=gettext("Test from TMS"),
            lines=(
                gettext("This is a test of the destination %(name)s. No action is needed.") % {"name": destination},
            ),
            facts={"alerts": []},
        )
    result = send(destination, message)
    recorder.record("tested", destination, {"result": (None, result.outcome.value)})
    return result
