"""The errors that an agent sends or understands, as JSON-RPC describes them."""

from dataclasses import dataclass
from enum import Enum

from tms_agent.protocol.limits import TEXT_LENGTH


class ErrorType(str, Enum):
    """Stable names of the errors that an agent sends or understands."""

    PART_REFUSED = "tms:part-refused"
    UNKNOWN_METHOD = "tms:unknown-method"
    UNAVAILABLE = "tms:unavailable"
    REFUSED = "tms:refused"
    DEADLINE_PASSED = "tms:deadline-passed"
    NOT_NOW = "tms:not-now"


RPC_CODES = {
    ErrorType.UNKNOWN_METHOD: -32601,
    ErrorType.UNAVAILABLE: -32004,
    ErrorType.REFUSED: -32005,
    ErrorType.DEADLINE_PASSED: -32006,
    ErrorType.NOT_NOW: -32008,
}
"""The codes of the errors that an agent sends. JSON-RPC 2.0, 5.1."""


@dataclass(frozen=True, slots=True)
class RpcError:
    """The `error` member of a JSON-RPC response."""

    code: int
    message: str
    type: str = ""
    where: str = ""


class FrameError(Exception):
    """An invalid frame: what was wrong, and a path into the frame such as `$.params.seq`."""

    def __init__(self, message: str, *, where: str = "$") -> None:
        super().__init__(message)
        self.message = message
        self.where = where


def rpc_error(kind: ErrorType, message: str) -> RpcError:
    return RpcError(RPC_CODES[kind], message[:TEXT_LENGTH], kind.value, "$")
