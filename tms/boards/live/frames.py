"""Frames of a board's socket (see static/js/live/frames.js). A frame is encoded once for all its receivers."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

MAX_ROWS = 50
"""Elements in one patch. A browser processes several short frames more smoothly than a long one."""

type FrameKind = Literal["patch", "repaint", "beat"]


class Verification(msgspec.Struct, frozen=True):
    """Result and time of the last comparison of the boards with the database."""

    state: Literal["equal", "differs", "unchecked"] = "unchecked"
    at: datetime | None = None


class Freshness(msgspec.Struct, frozen=True, omit_defaults=True):
    """How current the board is. Defaults are omitted; an omitted `database` is unchanged."""

    at: datetime
    newest_at: datetime | None = None
    behind_s: float = 0.0
    gaps: int = 0
    database: Verification | UnsetType = UNSET


class ListOrder(msgspec.Struct, frozen=True):
    """The rows of a list, in order."""

    of: str
    ids: Sequence[str]


class ListMoves(msgspec.Struct, frozen=True, omit_defaults=True):
    """Changes the order of a list: rows to remove, then rows to insert after another one."""

    of: str
    gone: Sequence[str] = ()
    put: Sequence[tuple[str, str]] = ()
    """(row, the row before it); the row before the first one is ""."""


class BoardFrame(msgspec.Struct, frozen=True, omit_defaults=True):
    kind: FrameKind
    freshness: Freshness = msgspec.field(name="proof")
    html: str = ""
    list: ListOrder | ListMoves | UnsetType = UNSET


@dataclass(slots=True)
class PendingUpdate:
    """What a subscriber has not received yet. Contains only names, so that it always gets the newest state."""

    elements: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    """Rows that the browser may not have."""

    def __bool__(self) -> bool:
        return bool(self.elements or self.lists)

    def add(self, other: "PendingUpdate") -> int:
        """Merge `other`. Returns how many elements were pending already: their older state is never sent."""
        again = len(self.elements & other.elements)
        self.elements |= other.elements
        self.lists |= other.lists
        self.added |= other.added
        return again


_encoder = msgspec.json.Encoder()


def encode(frame: BoardFrame) -> str:
    """The frame without its number, which each socket counts itself."""
    return _encoder.encode(frame).decode()


def numbered(encoded: str, number: int) -> str:
    return f'{{"number":{number},{encoded[1:]}'


def beat(freshness: Freshness) -> str:
    return encode(BoardFrame("beat", freshness))


def repaint(html: Mapping[str, str], lists: Mapping[str, Sequence[str]], freshness: Freshness) -> list[str]:
    """Everything. A frame has one list; further lists follow in patches without HTML."""
    orders = [ListOrder(name, ids) for name, ids in lists.items()]
    whole = BoardFrame("repaint", freshness, "".join(html.values()), orders[0] if orders else UNSET)
    return [encode(whole), *(encode(BoardFrame("patch", freshness, list=order)) for order in orders[1:])]


def patch(
    pending: PendingUpdate,
    html: Mapping[str, str],
    lists: Mapping[str, Sequence[str]],
    freshness: Freshness,
    moves: Mapping[str, ListMoves],
) -> list[str]:
    """The newest state of the pending elements. A list is sent in the frame of its new rows.

    `moves` are for browsers that have the previous order; other lists are sent as a whole.
    """
    if len(pending.added) > MAX_ROWS:
        return repaint(html, lists, freshness)
    rest = [name for name in html if name in pending.elements]
    frames = []
    for name in sorted(pending.lists):
        ids = lists.get(name, ())
        new = [row for row in ids if row in pending.added]
        rest = [element for element in rest if element not in new]
        frames.append((new, moves.get(name) or ListOrder(name, ids)))
    if frames and len(frames[-1][0]) + len(rest) <= MAX_ROWS:
        frames[-1][0].extend(rest)
        rest = []
    whole = [BoardFrame("patch", freshness, _join(html, names), order) for names, order in frames]
    whole += [BoardFrame("patch", freshness, _join(html, names)) for names in _chunks(rest)]
    return [encode(frame) for frame in whole]


def _join(html: Mapping[str, str], names: Collection[str]) -> str:
    return "".join(html[name] for name in names)


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + MAX_ROWS] for start in range(0, len(names), MAX_ROWS))
