"""One link to TMS, and the ways in which it can end."""

from http import HTTPStatus

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from tms_agent.protocol import downlink, frames, uplink
from tms_agent.protocol.close_codes import CloseCode
from tms_agent.protocol.errors import FrameError
from tms_agent.timeouts import timeout

BOOT_REQUEST_ID = 1
"""Boot is the only request of an agent."""
BOOT_ANSWER_TIMEOUT_S = 60.0
"""TMS answers when the boot is committed; its database may be unavailable for a while."""
LOST = 1006
"""RFC 6455, 7.4.1: the connection ended without a close frame."""

CREDENTIAL_REJECTED = "tms:unauthorised"
"""Type of the problem document with which TMS rejects a credential."""

MEANINGS = {
    CloseCode.BAD_FRAMES: "TMS could not read what this agent sent; the agent may be too old",
    CloseCode.CREDENTIAL_REVOKED: "the credential was revoked",
    CloseCode.NO_BOOT: "TMS did not get the boot in time",
    CloseCode.REPLACED: "another device connected with the same credential; give each device its own",
    CloseCode.TOO_LARGE: "a frame was too large for TMS",
    CloseCode.TOO_FAST: "TMS got too many frames from this terminal",
    CloseCode.DRAINING: "this node of TMS stops",
    CloseCode.NORMAL: "the link was closed",
    LOST: "the connection was lost",
}


class LinkEnd(Exception):
    """Why there is no link, or no longer; the message is for the log."""


class Unreachable(LinkEnd):
    """No valid response."""


class TimedOut(LinkEnd):
    """No response in time."""

    def __init__(self, message: str, *, is_everywhere: bool = True) -> None:
        super().__init__(message)
        self.is_everywhere = is_everywhere
        """No address is left that has not just timed out."""


class HandshakeRefused(LinkEnd):
    """The handshake was answered with an HTTP status, by TMS or a proxy.

    `problem` is the type in TMS's problem document. A proxy or firewall sends none, and its status says nothing about
    the credential.
    """

    def __init__(self, status: int, *, retry_after_s: float | None = None, reason: str = "", problem: str = "") -> None:
        answer = f"answered {status} {reason}".rstrip()
        super().__init__(f"TMS {answer}" if problem else f"the server {answer}; this is not an answer of TMS itself")
        self.status = status
        self.problem = problem
        """The type of TMS's problem document; empty if the answer is not one of TMS."""
        self.retry_after_s = retry_after_s
        self.is_credential_rejected = status == HTTPStatus.UNAUTHORIZED and problem == CREDENTIAL_REJECTED


class CertificateRejected(LinkEnd):
    """TLS failed at the certificate; the message says how to fix it."""


class Closed(LinkEnd):
    """An open link ended."""

    def __init__(self, code: int, reason: str = "") -> None:
        meaning = MEANINGS.get(code, "the link was closed")
        super().__init__(f"{meaning} ({code}{': ' if reason else ''}{reason})")
        self.code = code


class Drained(LinkEnd):
    """TMS asked the terminal to reconnect."""

    def __init__(self, drain: frames.DrainFrame) -> None:
        super().__init__("this node of TMS stops and asked to come back later")
        self.drain = drain


class AgentLink:
    """An open WebSocket that speaks `tms.v1`. Every method raises Closed when it is no longer open."""

    def __init__(self, connection: ClientConnection, *, has_unchecked_dates: bool = False) -> None:
        self.has_unchecked_dates = has_unchecked_dates
        """Whether the dates of TMS's certificate could not be checked, because no time is known."""
        self._connection = connection
        self._early: list[downlink.Downlink] = []

    async def boot(self, boot: frames.BootFrame) -> frames.BootResult:
        """Raises LinkEnd if TMS rejects the boot."""
        await self.send(uplink.boot(boot, BOOT_REQUEST_ID))
        try:
            async with timeout(BOOT_ANSWER_TIMEOUT_S):
                return await self._boot_answer()
        except TimeoutError:
            raise Unreachable("TMS did not answer the boot in time") from None

    async def receive(self) -> downlink.Downlink:
        """Raises FrameError for an invalid frame; the link stays open."""
        if self._early:
            return self._early.pop(0)
        try:
            return downlink.decode(await self._connection.recv(decode=False))
        except ConnectionClosed as closed:
            raise _close_of(closed) from None

    async def send(self, text: bytes) -> None:
        try:
            await self._connection.send(text, text=True)
        except ConnectionClosed as closed:
            raise _close_of(closed) from None

    @property
    def round_trip_s(self) -> float:
        """The duration of the last ping in seconds; 0 before the first."""
        return self._connection.latency

    async def close(self) -> None:
        await self._connection.close()

    def abort(self) -> None:
        """End it at once without a close frame, like a crash or a cut cable."""
        self._connection.transport.abort()

    async def _boot_answer(self) -> frames.BootResult:
        early: list[downlink.Downlink] = []
        while True:
            try:
                frame = await self.receive()
            except FrameError as error:
                where = f"{error.message} at {error.where}"
                raise Unreachable(f"TMS answered the boot with an invalid frame: {where}") from None
            if isinstance(frame, downlink.BootAnswer) and frame.id == BOOT_REQUEST_ID:
                self._early = early
                return frame.result
            if isinstance(frame, downlink.Refusal):
                raise Unreachable(f"TMS refused the boot: {frame.error.message}")
            early.append(frame)


def _close_of(closed: ConnectionClosed) -> Closed:
    if closed.rcvd is not None:
        return Closed(closed.rcvd.code, closed.rcvd.reason)
    if closed.sent is not None and closed.sent.reason:
        return Closed(LOST, closed.sent.reason)
    return Closed(LOST)
