"""What a transport is: one kind of destination. A plug-in knows no model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, NamedTuple

from django.utils.functional import Promise

from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult


class Recipient(NamedTuple):
    """Where one message goes."""

    address: str
    secrets: Mapping[str, str]


class Transport(ABC):
    name: ClassVar[str]
    """The value of `Destination.kind`."""
    position: ClassVar[int] = 100
    """In lists, before those with a higher one; the same one is ordered by name."""
    label: ClassVar[str | Promise]
    address_label: ClassVar[str | Promise]
    address_hint: ClassVar[str | Promise]
    is_address_secret: ClassVar[bool] = True
    """The address is encrypted, and only its host is shown."""
    has_signing_key: ClassVar[bool] = False
    """`Recipient.secrets` has a `key`, with which the receiver recognises TMS."""

    @abstractmethod
    def clean_address(self, text: str) -> str:
        """The address as it is stored. Raises ValidationError, with an example of what would be right."""

    @abstractmethod
    def send(self, to: Recipient, message: Message) -> SendResult:
        """Blocks for some seconds at most."""
