"""Encodes what the server sends to a terminal, and decodes it for the agent."""

from typing import Literal

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from tms.protocol import frames
from tms.protocol.errors import ErrorType, FrameError, RpcError
from tms.protocol.uplink import UNDECODABLE, split_path


class AckCall(Struct, frozen=True, tag_field="method", tag="ack"):
    params: frames.AckFrame
    jsonrpc: Literal["2.0"] = "2.0"


class CommandCall(Struct, frozen=True, tag_field="method", tag="command"):
    id: frames.RequestId
    params: frames.CommandFrame
    jsonrpc: Literal["2.0"] = "2.0"


class DrainCall(Struct, frozen=True, tag_field="method", tag="drain"):
    params: frames.DrainFrame
    jsonrpc: Literal["2.0"] = "2.0"


class BootAnswer(Struct, frozen=True):
    id: frames.RequestId
    result: frames.BootResult
    jsonrpc: Literal["2.0"] = "2.0"


class Refusal(Struct, frozen=True):
    """An error answer. `id` is null if the rejected frame had no readable one."""

    id: frames.RequestId | None
    error: RpcError
    jsonrpc: Literal["2.0"] = "2.0"


class Unknown(Struct, frozen=True):
    """A method of a newer server; an agent answers such a request with unknown-method."""

    method: str
    id: frames.RequestId | UnsetType = UNSET
    params: Raw = Raw(b"{}")


type Downlink = AckCall | CommandCall | DrainCall | BootAnswer | Refusal

METHODS = (b'"ack"', b'"command"', b'"drain"')
"""The methods as they appear in the text of a frame."""

_encoder = msgspec.json.Encoder()
_call: msgspec.json.Decoder[AckCall | CommandCall | DrainCall] = msgspec.json.Decoder(AckCall | CommandCall | DrainCall)
_unknown = msgspec.json.Decoder(Unknown)
_boot_answer = msgspec.json.Decoder(BootAnswer)
_refusal = msgspec.json.Decoder(Refusal)
_envelope = msgspec.json.Decoder(dict[str, Raw])


def encode(frame: Downlink) -> str:
    return _encoder.encode(frame).decode()


def refusal(error: FrameError) -> str:
    return encode(Refusal(error.id, error.as_rpc()))


def ack(seq: int, boot_id: str | UnsetType = UNSET) -> str:
    return encode(AckCall(frames.AckFrame(seq, boot_id)))


def decode(text: str | bytes) -> Downlink | Unknown:
    """Raises FrameError for an invalid frame."""
    try:
        return _read(_envelope.decode(text), text)
    except UNDECODABLE as error:
        message, where = split_path(str(error))
        raise FrameError(ErrorType.BAD_FRAME, message, where=where) from error


def _read(envelope: dict[str, Raw], text: str | bytes) -> Downlink | Unknown:
    if "method" not in envelope:
        return _refusal.decode(text) if "error" in envelope else _boot_answer.decode(text)
    if bytes(envelope["method"]) in METHODS:
        return _call.decode(text)
    return _unknown.decode(text)
