"""The frames in which `tms.commands.kinds.CHANGES` are sent. The apps that order them register how they are made.

Their commands carry references only, so that values and secrets are never in the table of commands.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import batched
from typing import NamedTuple

import structlog

from tms.commands.models import Command
from tms.commands.services import request_id
from tms.lib.db.errors import is_database_away
from tms.protocol import downlink, frames
from tms.protocol.limits import FRAME_BYTES

log = structlog.get_logger(__name__)

type ChangeFrame = frames.ConfigFrame | frames.UpdateFrame
type FrameBuilder = Callable[[Collection[Command]], Mapping[int, ChangeFrame | Exception]]
"""Frames by command; an exception says why one cannot be sent. Called for at most `CHUNK` commands."""

CHUNK = 200
"""Frames in memory at a time: 8 MB at most."""

_builders: dict[str, FrameBuilder] = {}


def register(name: str, builder: FrameBuilder) -> None:
    _builders[name] = builder


class CannotSend(Exception):
    """The change cannot be sent; the message says why."""


class EncodedChange(NamedTuple):
    command: Command
    text: str
    """The frame; empty if there is none."""
    error: str = ""


def encode(changes: Sequence[Command]) -> list[EncodedChange]:
    """The frames of at most `CHUNK` changes. One that cannot be made is no reason to keep the others."""
    made: dict[int, ChangeFrame | Exception] = {}
    for name in {command.name for command in changes}:
        made |= _build(name, [command for command in changes if command.name == name])
    return [_encode(command, made.get(command.pk)) for command in changes]


def _build(name: str, named: Sequence[Command]) -> Mapping[int, ChangeFrame | Exception]:
    """One at a time if one of them makes all fail."""
    try:
        return _builders[name](named)
    except Exception as error:
        if is_database_away(error):
            raise
        if len(named) > 1:
            return {pk: frame for one in named for pk, frame in _build(name, [one]).items()}
        log.exception("change_frame_failed", command=named[0].pk, name=name)
        return {named[0].pk: CannotSend("TMS could not prepare it; try again")}


def chunks(changes: Sequence[Command]) -> Iterator[Sequence[Command]]:
    return batched(changes, CHUNK)


def _encode(command: Command, frame: ChangeFrame | Exception | None) -> EncodedChange:
    if frame is None or isinstance(frame, Exception):
        return EncodedChange(command, "", str(frame) if frame else "what it refers to does not exist any more")
    call = downlink.ConfigCall if isinstance(frame, frames.ConfigFrame) else downlink.UpdateCall
    text = downlink.encode(call(request_id(command.pk), frame))  # type: ignore[arg-type]  # the call of this frame
    if (size := len(text.encode())) > FRAME_BYTES:
        return EncodedChange(command, "", f"its frame has {size:,} bytes; at most {FRAME_BYTES:,} can be sent")
    return EncodedChange(command, text)
