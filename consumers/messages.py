"""Messages that a browser may send over a board's socket: a request to repaint, and what its person views."""

from typing import Literal

import msgspec

MAX_MESSAGE_CHARACTERS = 256
"""Bytes of a message from a browser."""


class Resync(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="repaint"):
    """The browser missed something and needs the whole board."""


class ViewingMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="at"):
    """The person views an alert or incident of the page, or none. Repeated every few seconds."""

    alert: int = 0
    incident: int = 0
    doing: Literal["looking", "typing", "nothing"] = "looking"


type ClientMessage = Resync | ViewingMessage

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(Resync | ViewingMessage)
PER_MINUTE: dict[type[ClientMessage], int] = {Resync: 60, ViewingMessage: 240}


def read(text: str | bytes) -> ClientMessage | None:
    """The message; None if no board sends such a message."""
    if len(text) > MAX_MESSAGE_CHARACTERS:
        return None
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return None


class MessageBudget:
    """Limits the messages of a browser per minute."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._received = dict.fromkeys(PER_MINUTE, 0)

    def spend(self, kind: type[ClientMessage], now: float) -> bool:
        if now - self._since > 60:
            self._since, self._received = now, dict.fromkeys(PER_MINUTE, 0)
        self._received[kind] += 1
        return self._received[kind] <= PER_MINUTE[kind]
