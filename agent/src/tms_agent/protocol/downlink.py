"""Decodes and checks what TMS sends."""

from dataclasses import dataclass

from tms_agent.protocol import json_text
from tms_agent.protocol.errors import FrameError, RpcError
from tms_agent.protocol.frames import (
    AckFrame,
    AnsweredFrame,
    BootResult,
    CommandFrame,
    ConfigFrame,
    DrainFrame,
    RequestId,
    UpdateFrame,
)
from tms_agent.protocol.reader import Reader


@dataclass(frozen=True, slots=True)
class AckCall:
    params: AckFrame


@dataclass(frozen=True, slots=True)
class CommandCall:
    id: RequestId
    params: CommandFrame


@dataclass(frozen=True, slots=True)
class AnsweredCall:
    params: AnsweredFrame


@dataclass(frozen=True, slots=True)
class ConfigCall:
    id: RequestId
    params: ConfigFrame


@dataclass(frozen=True, slots=True)
class UpdateCall:
    id: RequestId
    params: UpdateFrame


@dataclass(frozen=True, slots=True)
class DrainCall:
    params: DrainFrame


@dataclass(frozen=True, slots=True)
class BootAnswer:
    id: RequestId
    result: BootResult


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer. `id` is None if the rejected frame had no readable one."""

    id: RequestId | None
    error: RpcError


@dataclass(frozen=True, slots=True)
class Unknown:
    """A method of a newer TMS; the agent answers such a request with unknown-method. A notice has no `id`."""

    method: str
    id: RequestId | None = None


Downlink = AckCall | CommandCall | AnsweredCall | ConfigCall | UpdateCall | DrainCall | BootAnswer | Refusal | Unknown


def decode(data: bytes) -> Downlink:
    """Raises FrameError for an invalid frame."""
    try:
        frame = Reader(json_text.decode(data))
    except ValueError as error:
        raise FrameError(f"not JSON: {error}") from None
    if frame.string("jsonrpc", "2.0") != "2.0":
        raise FrameError("Expected `2.0`", where="$.jsonrpc")
    return _read_call(frame) if "method" in frame else _read_answer(frame)


def _read_call(frame: Reader) -> Downlink:
    match frame.string("method"):
        case "ack":
            return AckCall(AckFrame.read(frame.object("params")))
        case "command":
            return CommandCall(frame.request_id(), CommandFrame.read(frame.object("params")))
        case "answered":
            return AnsweredCall(AnsweredFrame.read(frame.object("params")))
        case "config":
            return ConfigCall(frame.request_id(), ConfigFrame.read(frame.object("params")))
        case "update":
            return UpdateCall(frame.request_id(), UpdateFrame.read(frame.object("params")))
        case "drain":
            return DrainCall(DrainFrame.read(frame.object("params")))
        case method:
            return Unknown(method, frame.request_id() if "id" in frame else None)


def _read_answer(frame: Reader) -> Downlink:
    if "error" not in frame:
        return BootAnswer(frame.request_id(), BootResult.read(frame.object("result")))
    error = frame.object("error")
    data = error.object("data", {})
    return Refusal(
        None if frame.is_null("id") else frame.request_id(),
        RpcError(error.integer("code"), error.string("message"), data.string("type", ""), data.string("where", "")),
    )
