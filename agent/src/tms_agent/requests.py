"""What carries out a request of TMS that outlives its link."""

from typing import Any, Protocol

from tms_agent.protocol.frames import RequestId


class RequestRefused(Exception):
    """The terminal rejects the request, or could not carry it out; the message gives people the reason."""


class NotNow(RequestRefused):
    """The terminal is in use; TMS asks again later."""


class Answers(Protocol):
    """The answers that TMS gets, on this link or a later one."""

    def done(self, request_id: RequestId, result: Any) -> None: ...

    def refuse(self, request_id: RequestId, reason: str) -> None: ...

    def postpone(self, request_id: RequestId, reason: str) -> None: ...

    def progress(self, request_id: RequestId, percent: float | None, text: str) -> None: ...
