"""Frames of a board's socket, the contract with assets/js/live/frames.js, encoded once for all who get the same."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

MOST_ROWS = 50
"""Elements in one patch: a browser works through more than one frame without losing a breath."""

type FrameKind = Literal["patch", "repaint", "beat"]


class Verification(msgspec.Struct, frozen=True):
    """Whether what was sent agreed with an independent count of the database, and when that was looked at."""

    state: Literal["equal", "differs", "unchecked"] = "unchecked"
    at: datetime | None = None


class Freshness(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why the board may be believed. What is not said is nothing; of the database, what was said before."""

    at: datetime
    newest_at: datetime | None = None
    behind_s: float = 0.0
    gaps: int = 0
    database: Verification | UnsetType = UNSET


class ListOrder(msgspec.Struct, frozen=True):
    """The wanted rows of a list, in order."""

    of: str
    ids: Sequence[str]


class ListMoves(msgspec.Struct, frozen=True, omit_defaults=True):
    """What makes the order that a browser has the wanted one: rows that go, then each that is put after another."""

    of: str
    gone: Sequence[str] = ()
    put: Sequence[tuple[str, str]] = ()
    """(row, the row before it); the first row of a list comes after ""."""


class BoardFrame(msgspec.Struct, frozen=True, omit_defaults=True):
    kind: FrameKind
    freshness: Freshness = msgspec.field(name="proof")
    html: str = ""
    list: ListOrder | ListMoves | UnsetType = UNSET


@dataclass(slots=True)
class PendingUpdate:
    """What a socket has not had yet: names only, so that it always gets the newest state of each."""

    elements: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    added: set[str] = field(default_factory=set)
    """Rows that the browser may not have."""

    def __bool__(self) -> bool:
        return bool(self.elements or self.lists)

    def add(self, other: "PendingUpdate") -> int:
        """How many elements were owed before and are again: their older state is never sent."""
        again = len(self.elements & other.elements)
        self.elements |= other.elements
        self.lists |= other.lists
        self.added |= other.added
        return again


_encoder = msgspec.json.Encoder()


def encode(frame: BoardFrame) -> str:
    """All of a frame but its number, which every socket counts by itself."""
    return _encoder.encode(frame).decode()


def numbered(encoded: str, number: int) -> str:
    return f'{{"number":{number},{encoded[1:]}'


def beat(freshness: Freshness) -> str:
    return encode(BoardFrame("beat", freshness))


def repaint(html: Mapping[str, str], lists: Mapping[str, Sequence[str]], freshness: Freshness) -> list[str]:
    """Everything; a frame has one list, so that every further one follows in a patch without HTML."""
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
    """The newest state of what is owed. A list travels in the frame of the rows that are new to it.

    `moves` are for browsers that have the order before this one; of a list that is not among them they get all.
    """
    if len(pending.added) > MOST_ROWS:
        return repaint(html, lists, freshness)
    rest = [name for name in html if name in pending.elements]
    frames = []
    for name in sorted(pending.lists):
        ids = lists.get(name, ())
        new = [row for row in ids if row in pending.added]
        rest = [element for element in rest if element not in new]
        frames.append((new, moves.get(name) or ListOrder(name, ids)))
    if frames and len(frames[-1][0]) + len(rest) <= MOST_ROWS:
        frames[-1][0].extend(rest)
        rest = []
    whole = [BoardFrame("patch", freshness, _joined(html, names), order) for names, order in frames]
    whole += [BoardFrame("patch", freshness, _joined(html, names)) for names in _chunks(rest)]
    return [encode(frame) for frame in whole]


def _joined(html: Mapping[str, str], names: Collection[str]) -> str:
    return "".join(html[name] for name in names)


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    return (names[start : start + MOST_ROWS] for start in range(0, len(names), MOST_ROWS))
