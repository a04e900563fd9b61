"""Encodes what the server sends to a terminal."""

from typing import Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from tms.protocol import frames
from tms.protocol.errors import FrameError, RpcError


class AckCall(Struct, frozen=True, tag_field="method", tag="ack"):
    params: frames.AckFrame
    jsonrpc: Literal["2.0"] = "2.0"


class CommandCall(Struct, frozen=True, tag_field="method", tag="command"):
    id: frames.RequestId
    params: frames.CommandFrame
    jsonrpc: Literal["2.0"] = "2.0"


class AnsweredCall(Struct, frozen=True, tag_field="method", tag="answered"):
    params: frames.AnsweredFrame
    jsonrpc: Literal["2.0"] = "2.0"


class ConfigCall(Struct, frozen=True, tag_field="method", tag="config"):
    id: frames.RequestId
    params: frames.ConfigFrame
    jsonrpc: Literal["2.0"] = "2.0"


class UpdateCall(Struct, frozen=True, tag_field="method", tag="update"):
    id: frames.RequestId
    params: frames.UpdateFrame
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


type Downlink = AckCall | CommandCall | AnsweredCall | ConfigCall | UpdateCall | DrainCall | BootAnswer | Refusal

_encoder = msgspec.json.Encoder()


def encode(frame: Downlink) -> str:
    return _encoder.encode(frame).decode()


def refusal(error: FrameError) -> str:
    return encode(Refusal(error.id, error.as_rpc()))


def ack(seq: int, boot_id: str | UnsetType = UNSET) -> str:
    return encode(AckCall(frames.AckFrame(seq, boot_id)))


def answered(request_id: frames.RequestId) -> str:
    return encode(AnsweredCall(frames.AnsweredFrame(request_id)))
