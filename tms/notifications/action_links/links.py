"""Signed links in messages, with which the recipient acknowledges what a delivery is about without signing in.

The token is the UID of the delivery and a digest of its recipient, with a signature that is checked before anything
is read. It is never stored, and no page or API shows it.
"""

import re
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.core import signing
from django.utils.crypto import salted_hmac

from tms.accounts import access
from tms.accounts.models import User
from tms.accounts.permissions import Permission
from tms.notifications.models.delivery import ALARMS, Delivery, NotificationKind
from tms.notifications.models.destination import Destination

SALT = "tms.notifications.action_links"
KINDS = frozenset({*ALARMS, NotificationKind.ASSIGNED})
"""The kinds of notifications that are about something to acknowledge."""
VALUE = re.compile(r"([0-9a-f]{32})([0-9a-f]{16})")
MAX_TOKEN = 200

OFF, PEOPLE, ALL = MODES = ("off", "people", "all")
"""`TMS_ACTION_LINKS`: for destinations of people, or also for shared ones."""


class MessageLink(NamedTuple):
    """A link with a valid signature; it may be used, expired or revoked."""

    delivery: Delivery

    @property
    def destination(self) -> Destination:
        return self.delivery.destination

    @property
    def person(self) -> User | None:
        """Who acknowledges; None: the destination, which is shared."""
        return self.destination.person

    @property
    def recorded_as(self) -> str:
        return self.person.display_name if self.person else self.destination.name

    def has_expired(self, at: datetime) -> bool:
        return at > self.delivery.due_at + timedelta(hours=settings.ACTION_LINK_HOURS)

    @property
    def is_revoked(self) -> bool:
        """Its recipient is disabled, lost the permission, or may no longer use links."""
        return not is_offered(self.destination)


def is_offered(destination: Destination) -> bool:
    """Whether messages to it have links now. What a link then acknowledges is checked by row."""
    if settings.ACTION_LINKS == OFF or not destination.enabled or destination.deleted_at is not None:
        return False
    if destination.person is None:
        return settings.ACTION_LINKS == ALL
    return access.may(destination.person, Permission.HANDLE_ALERTS)


def token_of(delivery: Delivery) -> str:
    return _signer().sign(f"{delivery.uid.hex}{_recipient(delivery.destination)}")


def find(token: str) -> MessageLink | None:
    """The delivery of a link; None if the signature is wrong, or the delivery is deleted or has another recipient by
    now.
    """
    try:
        value = VALUE.fullmatch(_signer().unsign(token[:MAX_TOKEN]))
    except signing.BadSignature:
        return None
    if value is None:
        return None
    uid, recipient = value.groups()
    delivery = Delivery.objects.select_related("destination__person", "policy").filter(uid=uid).first()
    if delivery is None or _recipient(delivery.destination) != recipient:
        return None
    return MessageLink(delivery)


def _recipient(destination: Destination) -> str:
    """Changes when the destination gets another person or address: older links are in other hands then."""
    value = f"{destination.pk}:{destination.person_id}:{destination.kind}:{destination.address}"
    return salted_hmac(SALT, value, algorithm="sha256").hexdigest()[:16]


def _signer() -> signing.Signer:
    return signing.Signer(salt=SALT, sep=".")
