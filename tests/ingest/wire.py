import json
from typing import Any

from tms.protocol.close import CloseCode


class Wire:
    """The terminal's end of a session: what it would have read, and how it was closed."""

    def __init__(self) -> None:
        self.frames: list[dict[str, Any]] = []
        self.closed: CloseCode | None = None

    def send(self, text: str) -> None:
        self.frames.append(json.loads(text))

    def close(self, code: CloseCode, reason: str) -> None:
        assert reason
        self.closed = code

    def of(self, method: str) -> list[dict[str, Any]]:
        """The params of what was sent with `method`."""
        return [frame["params"] for frame in self.frames if frame.get("method") == method]

    @property
    def errors(self) -> list[str]:
        return [frame["error"]["data"]["type"] for frame in self.frames if "error" in frame]

    @property
    def booted(self) -> dict[str, Any] | None:
        return next((frame["result"] for frame in self.frames if "result" in frame), None)
