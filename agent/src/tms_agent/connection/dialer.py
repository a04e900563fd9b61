"""Opens links to one URL: address, proxy and credential."""

import asyncio
import functools
import ssl
from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import PackageNotFoundError, version
from socket import SOCK_STREAM
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidProxyStatus, InvalidStatus, WebSocketException
from websockets.http11 import Response
from websockets.typing import Subprotocol

from tms_agent.connection import certificates
from tms_agent.connection.addresses import is_address
from tms_agent.connection.link import AgentLink, HandshakeRefused, TimedOut, Unreachable
from tms_agent.connection.network import Network, without_secret
from tms_agent.protocol import SUBPROTOCOL, json_text
from tms_agent.protocol.credential import PlainCredential
from tms_agent.protocol.errors import FrameError
from tms_agent.protocol.reader import Reader
from tms_agent.timeouts import timeout

DIAL_TIMEOUT_S = 20.0
"""A shorter timeout would make an overload worse: TMS would serve clients that have disconnected."""
PING_S = 20.0
"""A link without a pong for this long is dead. Pings also keep NAT entries alive."""
CLOSE_TIMEOUT_S = 2.0
PROBLEM_TYPE = "application/problem+json"
MAX_REASON_CHARACTERS = 200
"""Characters of a server's response in a log line."""


class ProblemDocument(NamedTuple):
    """RFC 9457, the members in use."""

    type: str = ""
    detail: str = ""


class Dialer:
    """Remembers which addresses of the host did not answer, to try the others first."""

    def __init__(
        self,
        url: str,
        credential: PlainCredential,
        *,
        network: Network | None = None,
        timeout_s: float = DIAL_TIMEOUT_S,
        ping_s: float | None = PING_S,
    ) -> None:
        parts = urlsplit(url)
        self.url = url
        self._timeout_s = timeout_s
        self._host = parts.hostname or ""
        self._port = parts.port or (443 if parts.scheme == "wss" else 80)
        self._address = self._host
        self._silent: set[str] = set()
        self._network = network or Network()
        self._proxy: str | None = None
        self._options: dict[str, Any] = {
            "additional_headers": {"Authorization": f"Bearer {credential}"},
            "subprotocols": [Subprotocol(SUBPROTOCOL)],
            "compression": None,
            "user_agent_header": agent_name(),
            "open_timeout": None,
            "ping_interval": ping_s,
            "ping_timeout": ping_s,
            "close_timeout": CLOSE_TIMEOUT_S,
        }

    async def dial(self) -> AgentLink:
        """Raises LinkEnd. After a refusal the next address follows at once; without a response, at the next attempt."""
        addresses: Sequence[str] = ()
        self._proxy = self._network.proxy_for(self.url)
        try:
            async with timeout(self._timeout_s):
                addresses = await self._addresses()
                return await self._open_first(addresses)
        except TimeoutError:
            self._silent.add(self._address)
            raise TimedOut(
                f"no answer within {self._timeout_s:g} s", is_everywhere=self._silent.issuperset(addresses)
            ) from None

    async def _addresses(self) -> Sequence[str]:
        if self._proxy or is_address(self._host):
            return [self._host]
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(self._host, self._port, type=SOCK_STREAM)
        except OSError as error:
            raise Unreachable(f"the name {self._host} cannot be resolved: {error.strerror}") from None
        addresses = list(dict.fromkeys(str(info[0]) for *_, info in found))
        if self._silent.issuperset(addresses):
            self._silent.clear()
        return sorted(addresses, key=self._silent.__contains__)

    async def _open_first(self, addresses: Sequence[str]) -> AgentLink:
        failures = []
        for address in addresses:
            self._address = address
            try:
                return await self._open(address)
            except OSError as error:
                failures.append(f"{address}: {error.strerror or error}")
        raise Unreachable(f"cannot connect to {'; '.join(failures)}")

    async def _open(self, address: str) -> AgentLink:
        options = self._options | {"proxy": self._proxy}
        if not self._proxy:
            options |= {"host": address, "port": self._port}
        dates, has_unchecked_dates = self._network.dates, False
        if self.url.startswith("wss:"):
            instants = dates.instants()
            options["ssl"] = self._network.tls_context(instants)
            has_unchecked_dates = instants == []
        try:
            connection = await connect(self.url, **options)
        except InvalidStatus as error:
            raise _refusal(error.response, at=dates.now()) from None
        except ssl.SSLCertVerificationError as error:
            raise certificates.rejection(error, self._host, at=dates.now(), clock_error=dates.clock_error()) from None
        except InvalidProxyStatus as error:
            raise _refusal_of_proxy(self._proxy or "", error.response) from None
        except (WebSocketException, ValueError) as error:
            raise Unreachable(f"{self.url} does not answer as TMS does: {error}") from None
        if connection.subprotocol != SUBPROTOCOL:
            connection.transport.abort()
            raise Unreachable(f"{self.url} does not speak {SUBPROTOCOL}")
        return AgentLink(connection, has_unchecked_dates=has_unchecked_dates)


@functools.cache
def agent_name() -> str:
    try:
        return f"tms-agent/{version('tms-agent')}"
    except PackageNotFoundError:
        return "tms-agent"


def retry_after(value: str | None, *, at: datetime) -> float | None:
    """Seconds from a Retry-After header: a number or an HTTP date (RFC 9110, 10.2.3); None for anything else."""
    if not value:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, (parsedate_to_datetime(value) - at).total_seconds())
    except (ValueError, TypeError):
        return None


def _refusal(response: Response, *, at: datetime) -> HandshakeRefused:
    wait = retry_after(response.headers.get("Retry-After"), at=_date_of(response) or at)
    problem = _problem_in(response)
    reason = problem.detail[:MAX_REASON_CHARACTERS] or response.reason_phrase
    return HandshakeRefused(response.status_code, retry_after_s=wait, reason=reason, problem=problem.type)


def _refusal_of_proxy(proxy: str, response: Response) -> Unreachable:
    name = f"the proxy {without_secret(proxy)}"
    if response.status_code == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED:
        return Unreachable(f"{name} wants a user and a password, or others than these (407)")
    return Unreachable(f"{name} refused the connection ({response.status_code} {response.reason_phrase})")


def _date_of(response: Response) -> datetime | None:
    """When the response was sent, by the sender's clock: the terminal's own may be wrong by years."""
    try:
        date = parsedate_to_datetime(response.headers.get("Date", ""))
    except ValueError:
        return None
    return date if date.tzinfo else None


def _problem_in(response: Response) -> ProblemDocument:
    """TMS's problem document; empty for other responses."""
    nothing = ProblemDocument()
    if not response.headers.get("Content-Type", "").startswith(PROBLEM_TYPE):
        return nothing
    try:
        members = Reader(json_text.decode(bytes(response.body or b"{}")))
        problem = ProblemDocument(members.string("type", ""), members.string("detail", ""))
    except (ValueError, FrameError):
        return nothing
    return problem if problem.type.startswith("tms:") else nothing
