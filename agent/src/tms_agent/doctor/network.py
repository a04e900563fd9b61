"""Checks of the way to TMS, in the order in which a connection goes: name, proxy, TCP, TLS, clock, credential."""

import asyncio
import http.client
import socket
import ssl
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from tms_agent.connection import certificates
from tms_agent.connection.addresses import is_address
from tms_agent.connection.dates import TOLERANCE
from tms_agent.connection.dialer import Dialer, agent_name
from tms_agent.connection.https import connection_to
from tms_agent.connection.link import CertificateRejected, HandshakeRefused, LinkEnd, TimedOut
from tms_agent.connection.network import Network, without_secret
from tms_agent.doctor.findings import Finding, Level, fault, ok, warning
from tms_agent.protocol.credential import PlainCredential

STEP_S = 10.0
ENROL_AGAIN = "make a new key or token in TMS, and put it into the credential file or enrol again"


def check_way(url: str, network: Network, credential: PlainCredential | None) -> Iterator[Finding]:
    """Ends at the first fault: what is behind it cannot be seen."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80)
    try:
        proxy = network.proxy_for(url)
    except LinkEnd as error:
        yield fault("proxy", f"{error}; set proxy.url")
        return
    if proxy:
        via = urlsplit(proxy)
        yield (found := check_proxy(without_secret(proxy), via.hostname or "", via.port or 80))
    else:
        found = ok("", "")
        for found in check_host(host, port):
            yield found
    if found.level is Level.FAULT:
        return
    for found in check_server(url, host, network):
        yield found
    if found.level is not Level.FAULT and credential:
        yield check_credential(url, network, credential)


def check_proxy(name: str, host: str, port: int) -> Finding:
    try:
        socket.create_connection((host, port), STEP_S).close()
    except OSError as error:
        return fault(
            "proxy", f"{name} does not answer: {_reason(error)}; check proxy.url, or https_proxy in the environment"
        )
    return ok("proxy", f"{name} answers")


def check_host(host: str, port: int) -> Iterator[Finding]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        yield fault(
            "name", f"{host} cannot be resolved: {_reason(error)}; check url, and the name server of this machine"
        )
        return
    addresses = list(dict.fromkeys(str(info[4][0]) for info in found))
    if not is_address(host):
        yield ok("name", f"{host} is {', '.join(addresses)}")
    failures = [failure for address in addresses if (failure := _connect(address, port))]
    if len(failures) == len(addresses):
        yield fault("connection", f"port {port}: {'; '.join(failures)}; check the network, and the firewall on the way")
    elif failures:
        yield warning("connection", f"port {port}: {'; '.join(failures)}; other addresses answer")
    else:
        yield ok("connection", f"port {port} answers")


def _connect(address: str, port: int) -> str:
    """Why it failed; empty if it did not."""
    try:
        socket.create_connection((address, port), STEP_S).close()
    except OSError as error:
        return f"{address}: {_reason(error)}"
    return ""


def check_server(url: str, host: str, network: Network) -> Iterator[Finding]:
    """TLS, if it is used, and the clock by the date of an answer."""
    dates = network.dates
    try:
        connection = connection_to(url, network, STEP_S)
        connection.connect()
    except ssl.SSLCertVerificationError as error:
        yield fault("TLS", str(certificates.rejection(error, host, at=dates.now(), clock_error=None)))
        return
    except LinkEnd as error:
        yield fault("TLS", f"{error}; correct the file, or its key in the configuration")
        return
    except ssl.SSLError as error:
        yield fault("TLS", f"no TLS with {host}: {error.reason or error}; is this the port of TMS?")
        return
    except OSError as error:
        yield _tunnel_fault(error)
        return
    if url.startswith("wss:"):
        unchecked = dates.instants() == []
        yield (warning if unchecked else ok)("TLS", "chain and name are right" + ("; dates are unchecked" * unchecked))
    yield from check_time(connection, url, dates.now())


def _tunnel_fault(error: OSError) -> Finding:
    text = _reason(error)
    if "407" in text:
        return fault("proxy", "it wants another user and password (407); set proxy.user and proxy.password")
    return fault("proxy" if "Tunnel" in text else "connection", f"{text}; ask who runs the network")


def check_time(connection: http.client.HTTPConnection, url: str, now: datetime) -> Iterator[Finding]:
    """Servers date their answers, whatever they answer."""
    try:
        connection.request("HEAD", urlsplit(url).path, headers={"User-Agent": agent_name()})
        date = parsedate_to_datetime(connection.getresponse().getheader("Date", ""))
    except (OSError, http.client.HTTPException, ValueError, TypeError):
        return
    finally:
        connection.close()
    error = now - date if date.tzinfo else timedelta()
    if abs(error) > TOLERANCE:
        side = "ahead of" if error > timedelta() else "behind"
        yield warning("clock", f"it is {abs(error)} {side} the server's; set it, or let NTP set it")
    else:
        yield ok("clock", "it is that of the server, within minutes")


def check_credential(url: str, network: Network, credential: PlainCredential) -> Finding:
    """Opens a link, and closes it before the boot: only a boot takes the place of the agent that runs."""

    async def dial() -> None:
        link = await Dialer(url, credential, network=network).dial()
        await link.close()

    try:
        asyncio.run(dial())
    except LinkEnd as end:
        return finding_of(end, credential.uid)
    return ok("credential", f"TMS accepts that of {credential.uid}")


def finding_of(end: LinkEnd, uid: str) -> Finding:
    if isinstance(end, HandshakeRefused):
        return _refusal(end, uid)
    if isinstance(end, TimedOut):
        return fault("TMS", f"{end}; TMS is overloaded, or something on the way drops what it does not know")
    if isinstance(end, CertificateRejected):
        return fault("TLS", str(end))
    return fault("TMS", f"{end}; check url: another program may listen there, or a proxy without WebSockets")


def _refusal(end: HandshakeRefused, uid: str) -> Finding:
    again = f"; the agent tries again by itself, after {end.retry_after_s:.0f} s" if end.retry_after_s else ""
    if end.is_credential_rejected:
        return fault("credential", f"TMS does not accept that of {uid} (401): {ENROL_AGAIN}")
    if not end.problem:
        return fault("TMS", f"{end}{again}; ask who runs the proxy or firewall on the way, or check url")
    if end.status == http.HTTPStatus.TOO_MANY_REQUESTS:
        return fault("credential", f"{end}{again}; if two devices have this credential, enrol one of them again")
    return (warning if end.status == http.HTTPStatus.SERVICE_UNAVAILABLE else fault)("TMS", f"{end}{again}")


def _reason(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__
