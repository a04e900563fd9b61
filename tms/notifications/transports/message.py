"""What is sent to a destination: composed once, and the same at each attempt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

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
    """For machines: JSON."""
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

    @property
    def body(self) -> str:
        """Marks a possible duplicate, in the active language; the rest is unchanged."""
        mark = [gettext("You may receive this twice.")] if self.possible_duplicate else []
        return "\n".join([*self.lines, *mark])
