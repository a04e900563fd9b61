"""What a transport is: one kind of destination. A plug-in knows no model."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from types import MappingProxyType
from typing import ClassVar, NamedTuple

from django.utils.functional import Promise

from tms.notifications.transports.fields import TransportField, Values
from tms.notifications.transports.message import Message
from tms.notifications.transports.result import SendResult


class Recipient(NamedTuple):
    """Where one message goes."""

    address: str
    secrets: Values
    public: Values = MappingProxyType({})
    """Values of `Transport.fields` that are no secrets."""

    def value(self, name: str) -> str:
        """The value of one of `Transport.fields`; empty if it was omitted."""
        return self.secrets.get(name) or self.public.get(name, "")


class Transport(ABC):
    """One with an address. A service with several values is a `ServiceTransport`."""

    name: ClassVar[str]
    """The value of `Destination.kind`."""
    position: ClassVar[int] = 100
    """The position in lists, before transports with a higher one; the same one is ordered by name."""
    label: ClassVar[str | Promise]
    summary: ClassVar[str | Promise]
    """What it does and needs, where a person chooses one."""
    icon: ClassVar[str] = "notifications"
    address_label: ClassVar[str | Promise]
    address_hint: ClassVar[str | Promise]
    is_address_secret: ClassVar[bool] = True
    """The address is encrypted, and only its host is shown."""
    has_signing_key: ClassVar[bool] = False
    """`Recipient.secrets` has a `key`, with which the receiver recognises TMS."""
    fields: ClassVar[tuple[TransportField, ...]] = ()
    """Its values, in place of one address."""
    is_one_by_one: ClassVar[bool] = False
    """Each alert or incident gets messages of its own, without a group wait: the service groups them itself."""
    follows_alerts: ClassVar[bool] = False
    """It gets acknowledgements and recoveries, also if the policy does not notify of them."""
    has_links: ClassVar[bool] = True
    """People read its messages: they get the link to acknowledge."""
    takes_events: ClassVar[bool] = False
    """It sends messages of the kind `events`, whose `facts` have events of the fleet."""
    is_of_browser: ClassVar[bool] = False
    """A person adds it in the browser itself, and nobody enters its address."""

    @abstractmethod
    def clean_address(self, text: str) -> str:
        """The address as it is stored. Raises ValidationError, with an example of what would be right."""

    @abstractmethod
    def send(self, to: Recipient, message: Message) -> SendResult:
        """Send a message. Blocks for some seconds at most."""


class ServiceTransport(Transport):
    """A transport with values of its own, each with a label and a hint, in place of one address."""

    address_label = ""
    address_hint = ""

    def clean_address(self, text: str) -> str:
        raise TypeError(f"{self.name} has no address, but {len(self.fields)} fields")

    def faults(self, values: Values) -> Iterable[tuple[str, str]]:
        """What is wrong with values that are valid one by one: name of the field, and what would be right."""
        return ()

    @abstractmethod
    def shown(self, values: Values) -> str:
        """What lists show as its address, from the values that are no secrets."""
