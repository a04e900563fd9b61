"""A certificate that is invalid only because of a wrong clock is reported as such."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from tests.agent.certificates import certificate
from tests.agent.running_agent import CREDENTIAL
from tms_agent.connection import tls
from tms_agent.connection.dialer import Dialer
from tms_agent.connection.link import CertificateRejected

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)
CLOCK = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
BY_CLOCK = "by this terminal's clock, 1970-01-01 00:01:00 UTC"
NEXT_YEAR, LAST_YEAR = (NOW + YEAR, NOW + 2 * YEAR), (NOW - 2 * YEAR, NOW - YEAR)
NOT_YET = "the certificate of localhost is not valid yet"
EXPIRED = "the certificate of localhost has expired"
SET, RENEW = "set the clock, or let NTP set it", "renew the certificate on the server"

type Serve = Callable[..., "asyncio.Future[str]"]


@pytest.fixture
async def serve(tmp_path, monkeypatch) -> AsyncIterator[Serve]:
    """Serve TLS with a certificate with these dates; returns the URL of the link."""
    exits = AsyncExitStack()

    async def serve(begins: datetime, ends: datetime, *, is_trusted: bool = True) -> str:
        path = certificate(tmp_path / "server.pem", begins, ends)
        here = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        here.load_cert_chain(path)
        there = ssl.create_default_context(cafile=path if is_trusted else None)
        monkeypatch.setattr(tls, "system_context", lambda: there)
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=here)
        await exits.enter_async_context(server)
        return f"wss://localhost:{server.sockets[0].getsockname()[1]}/ws/terminal/"

    yield serve
    await exits.aclose()


@pytest.mark.parametrize(
    ("begins", "ends", "days_ahead", "message"),
    [
        (*NEXT_YEAR, None, f"certificate_not_yet_valid: {BY_CLOCK}, {NOT_YET}; {SET}"),
        (
            *NEXT_YEAR,
            -20_000,
            f"certificate_not_yet_valid: {BY_CLOCK} (20000 days, 0:00:00 behind TMS's), {NOT_YET}; {SET}",
        ),
        (*NEXT_YEAR, 0, f"certificate_not_yet_valid: {BY_CLOCK} (which is right), {NOT_YET}; {RENEW}"),
        (*LAST_YEAR, None, f"certificate_expired: {BY_CLOCK}, {EXPIRED}; {SET}; if it is right, {RENEW}"),
        (*LAST_YEAR, 400, f"certificate_expired: {BY_CLOCK} (400 days, 0:00:00 ahead of TMS's), {EXPIRED}; {SET}"),
        (*LAST_YEAR, 0, f"certificate_expired: {BY_CLOCK} (which is right), {EXPIRED}; {RENEW}"),
    ],
)
async def test_an_expired_certificate_is_reported_with_the_clock_and_the_remedy(
    serve, begins, ends, days_ahead, message
):
    url = await serve(begins, ends)
    error = None if days_ahead is None else timedelta(days=days_ahead)

    with pytest.raises(CertificateRejected) as rejected:
        await Dialer(url, CREDENTIAL, now=lambda: CLOCK, clock_error=lambda: error).dial()

    assert str(rejected.value) == message


async def test_a_certificate_of_another_host_is_not_attributed_to_the_clock(serve):
    url = await serve(NOW - YEAR, NOW + YEAR, is_trusted=False)

    with pytest.raises(CertificateRejected, match="certificate_not_trusted: localhost: self-signed certificate"):
        await Dialer(url, CREDENTIAL).dial()
