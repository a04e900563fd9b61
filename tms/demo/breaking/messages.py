"""Requests to the simulator and its answers: one line of JSON each over a Unix socket. Needs no Django."""

from datetime import datetime

import msgspec

from tms.demo.breaking.faults import FaultKind

MAX_LINE = 65_536


class StartFault(msgspec.Struct, frozen=True, tag="break"):
    """`target` is the code of a site for `CUT_SITE`, and else the UID of a terminal."""

    fault: FaultKind
    target: str


class UndoFault(msgspec.Struct, frozen=True, tag="undo"):
    number: int


class Ask(msgspec.Struct, frozen=True, tag="ask"):
    """The question what is broken now."""


class ActiveFault(msgspec.Struct, frozen=True):
    """A fault that goes on until `ends_at`, or until it is undone."""

    number: int
    fault: FaultKind
    target: str
    ends_at: datetime


class Answer(msgspec.Struct, frozen=True):
    broken: list[ActiveFault] = []
    """The faults that go on, newest first."""
    error: str = ""
    """A code: `unknown-target`, `unsuitable`, `too-many`, `unreadable`; empty if the request was carried out."""


type Request = StartFault | UndoFault | Ask

encode = msgspec.json.Encoder().encode
decode_request = msgspec.json.Decoder(StartFault | UndoFault | Ask).decode
decode_answer = msgspec.json.Decoder(Answer).decode
