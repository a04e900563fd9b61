"""The errors that TMS answers to invalid frames, as JSON-RPC describes them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from tms.protocol.limits import NAME_LENGTH, SEQ_MAX, TEXT_LENGTH


class ErrorType(StrEnum):
    """Stable names of errors; the REST API uses the same ones in its problem details."""

    BAD_JSON = "tms:bad-json"
    BAD_FRAME = "tms:bad-frame"
    PART_REFUSED = "tms:part-refused"
    UNKNOWN_METHOD = "tms:unknown-method"
    TOO_DEEP = "tms:too-deep"
    NOT_BOOTED = "tms:not-booted"
    ALREADY_BOOTED = "tms:already-booted"
    TOO_FAST = "tms:too-fast"
    UNAVAILABLE = "tms:unavailable"
    REFUSED = "tms:refused"
    DEADLINE_PASSED = "tms:deadline-passed"
    NOT_NOW = "tms:not-now"


RPC_CODES: Mapping[ErrorType, int] = {
    ErrorType.BAD_JSON: -32700,
    ErrorType.BAD_FRAME: -32600,
    ErrorType.UNKNOWN_METHOD: -32601,
    ErrorType.TOO_DEEP: -32600,
    ErrorType.NOT_BOOTED: -32001,
    ErrorType.ALREADY_BOOTED: -32002,
    ErrorType.TOO_FAST: -32003,
    ErrorType.UNAVAILABLE: -32004,
    ErrorType.REFUSED: -32005,
    ErrorType.DEADLINE_PASSED: -32006,
    ErrorType.PART_REFUSED: -32007,
    ErrorType.NOT_NOW: -32008,
}
"""JSON-RPC 2.0, 5.1: the reserved codes where one fits, else the range left to implementations."""


class RpcErrorData(msgspec.Struct, frozen=True):
    type: str = ""
    where: str = ""


class RpcError(msgspec.Struct, frozen=True):
    """The `error` member of a JSON-RPC response."""

    code: int
    message: str
    data: RpcErrorData = RpcErrorData()


class FrameError(Exception):
    """An invalid frame, with what a terminal's developer needs to fix it.

    `message` says what was wrong and what is expected, `where` is a path into the frame such as `$.params.seq`, `id` is
    the id of the rejected request, or None.
    """

    def __init__(self, kind: ErrorType, message: str, *, where: str = "$", id: Any = None) -> None:  # noqa: A002
        super().__init__(message)
        self.kind = kind
        # it may quote the frame, which may be long
        self.message = message[:TEXT_LENGTH]
        self.where = where
        self.id = id if _can_be_echoed(id) else None

    def as_rpc(self) -> RpcError:
        return RpcError(RPC_CODES[self.kind], self.message, RpcErrorData(self.kind.value, self.where))


def _can_be_echoed(request_id: Any) -> bool:
    if isinstance(request_id, str):
        return len(request_id) <= NAME_LENGTH
    return isinstance(request_id, int) and not isinstance(request_id, bool) and abs(request_id) <= SEQ_MAX
