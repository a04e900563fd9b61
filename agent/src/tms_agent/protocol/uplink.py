"""Encodes what the agent sends: JSON-RPC 2.0 in text frames."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tms_agent.protocol import json_text
from tms_agent.protocol.errors import RpcError
from tms_agent.protocol.frames import BootFrame, GoodbyeFrame, ProgressFrame, ReportFrame, RequestId


@dataclass(frozen=True, slots=True)
class CommandAnswer:
    """A terminal's response to a command: `result`, unless there is an `error`."""

    id: RequestId
    result: Any = None
    error: RpcError | None = None


def boot(frame: BootFrame, request_id: RequestId) -> bytes:
    return json_text.encode({"method": "boot", "params": frame.as_json(), "id": request_id, "jsonrpc": "2.0"})


def heartbeat() -> bytes:
    return json_text.encode({"method": "heartbeat", "jsonrpc": "2.0", "params": {}})


def report(frame: ReportFrame) -> bytes:
    return json_text.encode(_notice("report", frame.as_json()))


def reports(frames: Iterable[ReportFrame]) -> bytes:
    """A batch."""
    return json_text.encode([_notice("report", frame.as_json()) for frame in frames])


def progress(frame: ProgressFrame) -> bytes:
    return json_text.encode(_notice("progress", frame.as_json()))


def goodbye(frame: GoodbyeFrame) -> bytes:
    return json_text.encode(_notice("goodbye", frame.as_json()))


def answer(given: CommandAnswer) -> bytes:
    """Raises TypeError or ValueError if the result is not a JSON value."""
    outcome = {"result": given.result} if given.error is None else {"error": _error(given.error)}
    return json_text.encode({"id": given.id, "jsonrpc": "2.0", **outcome})


def _notice(method: str, params: dict[str, Any]) -> dict[str, Any]:
    return {"method": method, "params": params, "jsonrpc": "2.0"}


def _error(error: RpcError) -> dict[str, Any]:
    return {"code": error.code, "message": error.message, "data": {"type": error.type, "where": error.where}}
