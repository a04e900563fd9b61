"""What a browser may say over a board's socket: to repaint, and which alert or incident its person is at."""

from typing import Literal

import msgspec

LONGEST_MESSAGE = 256
"""Bytes of a message from a browser."""


class Resync(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="repaint"):
    """Everything again: something was missed."""


class ViewingMessage(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="at"):
    """The person is at an alert or incident of the page, or at none. To be said again every few seconds."""

    alert: int = 0
    incident: int = 0
    doing: Literal["looking", "typing", "nothing"] = "looking"


type ClientMessage = Resync | ViewingMessage

_decoder: msgspec.json.Decoder[ClientMessage] = msgspec.json.Decoder(Resync | ViewingMessage)
PER_MINUTE: dict[type[ClientMessage], int] = {Resync: 60, ViewingMessage: 240}


def read(text: str | bytes) -> ClientMessage | None:
    """None for what no board sends."""
    if len(text) > LONGEST_MESSAGE:
        return None
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return None


class MessageBudget:
    """How often a browser may still ask, a minute."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._asked = dict.fromkeys(PER_MINUTE, 0)

    def spend(self, kind: type[ClientMessage], now: float) -> bool:
        if now - self._since > 60:
            self._since, self._asked = now, dict.fromkeys(PER_MINUTE, 0)
        self._asked[kind] += 1
        return self._asked[kind] <= PER_MINUTE[kind]
