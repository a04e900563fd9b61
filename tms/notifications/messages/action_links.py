"""The link with which the recipient of a message acknowledges what it is about."""

from django.urls import reverse

from tms.notifications.action_links.links import KINDS, MessageLink, token_of
from tms.notifications.action_links.services import LinkOutcome, preview
from tms.notifications.models.delivery import Delivery


def acknowledge_path(delivery: Delivery) -> str:
    """The path of the link to acknowledge; empty if there is nothing to acknowledge, or the recipient may not.

    Made for each attempt, and the same each time; the content that is stored with a delivery never has it.
    """
    at = delivery.leased_at or delivery.due_at
    if delivery.kind not in KINDS or not delivery.destination.transport.has_links:
        return ""
    if preview(MessageLink(delivery), at=at).outcome is not LinkOutcome.READY:
        return ""
    return reverse("act", args=[token_of(delivery)])
