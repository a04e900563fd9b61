"""What a browser may say over a board's socket: to repaint, and which alert or incident its person is at."""

from typing import Literal

import msgspec

LONGEST_ASK = 256
"""Bytes of a message from a browser."""


class Repaint(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="repaint"):
    """Everything again: something was missed."""


class At(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="ask", tag="at"):
    """The person is at an alert or incident of the page, or at none. To be said again every few seconds."""

    alert: int = 0
    incident: int = 0
    doing: Literal["looking", "typing", "nothing"] = "looking"


type Ask = Repaint | At

_decoder: msgspec.json.Decoder[Ask] = msgspec.json.Decoder(Repaint | At)
PER_MINUTE: dict[type[Ask], int] = {Repaint: 60, At: 240}


def read(text: str | bytes) -> Ask | None:
    """None for what no board sends."""
    if len(text) > LONGEST_ASK:
        return None
    try:
        return _decoder.decode(text)
    except msgspec.MsgspecError:
        return None


class Budget:
    """How often a browser may still ask, a minute."""

    def __init__(self, now: float) -> None:
        self._since = now
        self._asked = dict.fromkeys(PER_MINUTE, 0)

    def spend(self, kind: type[Ask], now: float) -> bool:
        if now - self._since > 60:
            self._since, self._asked = now, dict.fromkeys(PER_MINUTE, 0)
        self._asked[kind] += 1
        return self._asked[kind] <= PER_MINUTE[kind]
