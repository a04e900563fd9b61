"""What is sent to a destination: composed once, and the same at each attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.utils.translation import gettext

TEST = "test"


@dataclass(frozen=True, slots=True)
class Attachment:
    name: str
    content_type: str
    base64: str


@dataclass(frozen=True, slots=True)
class Message:
    uid: str
    """The same for each attempt, so that a receiver recognises duplicates."""
    at: datetime
    kind: str
    """`test`, or what happened to alerts: `opened`, `resolved` …"""
    title: str
    lines: Sequence[str]
    facts: Mapping[str, Any]
    """Facts for machines: JSON."""
    subject: str = ""
    """What it is about, for machines: the code of a site."""
    severity: str = ""
    attachment: Attachment | None = None
    """Sent by mail; other transports leave it out."""
    possible_duplicate: bool = False
    """An earlier attempt may have arrived."""
    reply_to: str = ""
    """`SendResult.reference` of the message that announced what this one is about."""
    replaces: bool = False
    """That message was about nothing else: it may be changed to this one."""
    acknowledge_path: str = ""
    """The path of the link with which the recipient acknowledges. Secret: it is never stored."""

    @property
    def acknowledge_url(self) -> str:
        """The address of the link to acknowledge; empty if there is no such link, or TMS does not know its own
        address.
        """
        return (
            settings.PUBLIC_URL.rstrip("/") + self.acknowledge_path
            if settings.PUBLIC_URL and self.acknowledge_path
            else ""
        )

    @property
    def duplicate_mark(self) -> Sequence[str]:
        """The line, in the active language, that marks a possible duplicate."""
        return [gettext("You may receive this twice.")] if self.possible_duplicate else []

    @property
    def body(self) -> str:
        """The text in the active language, with the link to acknowledge and the mark of a possible duplicate."""
        link = [gettext("Acknowledge: %(url)s") % {"url": self.acknowledge_url}] if self.acknowledge_url else []
        return "\n".join([*self.lines, *link, *self.duplicate_mark])
