"""The dates of TMS's certificate, by clocks that are right, in 1970 or in 2038."""

import re
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta

import pytest

from tests.agent.certificates import certificate
from tests.agent.fake_tms import FakeTMS
from tests.agent.running_agent import CREDENTIAL
from tests.support.inventory import ROOT
from tms_agent.connection.dates import Dates
from tms_agent.connection.dialer import Dialer
from tms_agent.connection.link import CertificateRejected
from tms_agent.connection.network import Network
from tms_agent.connection.tls import TlsFiles
from tms_agent.options import Options
from tms_agent.release import RELEASED_AT

NOW = datetime.now(UTC)
YEAR = timedelta(days=365)
VALID, NEXT_YEAR, LAST_YEAR = (NOW - YEAR, NOW + YEAR), (NOW + YEAR, NOW + 2 * YEAR), (NOW - 2 * YEAR, NOW - YEAR)
BEFORE_THIS_SOFTWARE = (RELEASED_AT - 2 * YEAR, RELEASED_AT - YEAR)
NEVER_SET, IN_2038 = datetime(1970, 1, 1, 0, 1, tzinfo=UTC), datetime(2038, 1, 20, tzinfo=UTC)
OF_2038 = (IN_2038 - YEAR, IN_2038 + YEAR)
NOT_YET, EXPIRED = "the certificate of localhost is not valid yet", "the certificate of localhost has expired"
SET, RENEW = "set the clock, or let NTP set it", "renew the certificate on the server"
BY_CLOCK = rf"by this terminal's clock, {NOW:%Y-%m-%d} .* UTC"
BY_TMS = rf"by TMS's time, {NOW:%Y-%m-%d} .* UTC"


@pytest.fixture
async def serve(tmp_path) -> AsyncIterator[Callable]:
    """Serve TLS with a certificate with these dates; returns TMS, and the network of a terminal that trusts it."""
    async with AsyncExitStack() as exits:

        async def serve(begins: datetime, ends: datetime) -> tuple[FakeTMS, Network]:
            path = certificate(tmp_path / "server.pem", begins, ends)
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(path)
            tms = await exits.enter_async_context(FakeTMS(context))
            return tms, Network(TlsFiles(path), proxy="")

        yield serve


@pytest.mark.parametrize(
    ("validity", "clock", "is_known", "message"),
    [
        # The clock is right, as far as is known: OpenSSL checks.
        (VALID, NOW, True, ""),
        (NEXT_YEAR, NOW, False, f"certificate_not_yet_valid: {BY_CLOCK}, {NOT_YET}; {SET}"),
        (NEXT_YEAR, NOW, True, rf"certificate_not_yet_valid: {BY_CLOCK} \(which is right\), {NOT_YET}; {RENEW}"),
        (LAST_YEAR, NOW, False, f"certificate_expired: {BY_CLOCK}, {EXPIRED}; {SET}; if it is right, {RENEW}"),
        (LAST_YEAR, NOW, True, rf"certificate_expired: {BY_CLOCK} \(which is right\), {EXPIRED}; {RENEW}"),
        # No time is known but that this software exists.
        (VALID, NEVER_SET, False, ""),
        (NEXT_YEAR, NEVER_SET, False, ""),
        (BEFORE_THIS_SOFTWARE, NEVER_SET, False, f"by the date of this software, .*, {EXPIRED}; {RENEW}"),
        # TMS has sent its time.
        (VALID, NEVER_SET, True, ""),
        (VALID, IN_2038, True, ""),
        (NEXT_YEAR, NEVER_SET, True, f"certificate_not_yet_valid: {BY_TMS}, {NOT_YET}; {RENEW}"),
        (LAST_YEAR, NEVER_SET, True, f"certificate_expired: {BY_TMS}, {EXPIRED}; {RENEW}"),
        (LAST_YEAR, IN_2038, True, f"certificate_expired: {BY_TMS}, {EXPIRED}; {RENEW}"),
        # TMS's clock may be the wrong one.
        (OF_2038, IN_2038, True, ""),
    ],
)
async def test_dates_are_checked_by_the_time_that_is_known(serve, validity, clock, is_known, message):
    tms, network = await serve(*validity)
    network.dates = Dates(lambda: clock, lambda: clock - NOW if is_known else None)
    dialer = Dialer(tms.url, CREDENTIAL, network=network)

    if not message:
        link = await dialer.dial()
        assert link.has_unchecked_dates is (clock == NEVER_SET and not is_known)
        link.abort()
        return
    with pytest.raises(CertificateRejected) as rejected:
        await dialer.dial()

    assert re.search(message, str(rejected.value))
    assert not tms.requests  # which would have contained the credential


@pytest.mark.parametrize("clock", [NOW, NEVER_SET])
async def test_chain_and_name_are_checked_by_any_clock(serve, tmp_path, clock):
    tms, network = await serve(*VALID)
    strange = Network(TlsFiles(certificate(tmp_path / "other.pem", *VALID)), proxy="")
    network.dates = strange.dates = Dates(lambda: clock)

    with pytest.raises(CertificateRejected, match=r"not_trusted: localhost: self-signed certificate; .*TLS_CA_FILE"):
        await Dialer(tms.url, CREDENTIAL, network=strange).dial()
    with pytest.raises(CertificateRejected, match=r"certificate_not_trusted: 127\.0\.0\.1: IP address mismatch"):
        await Dialer(tms.url.replace("localhost", "127.0.0.1"), CREDENTIAL, network=network).dial()
    assert not tms.requests


async def test_a_terminal_of_1970_connects_says_so_and_checks_dates_from_then_on(serve, start, lines):
    tms, network = await serve(*VALID)
    options = Options(jitter=lambda: 1.0, now=lambda: NEVER_SET, network=network)
    running = start(url=tms.url, options=options)
    link = await tms.booted(server_time=NOW + 2 * YEAR)

    link.cut()
    await running.until(lambda _: "certificate_expired: by TMS's time" in lines())

    assert link.booted.unchecked_dates
    assert "this clock is before the date of this software: dates of certificates are not checked" in lines()


def test_the_date_of_this_software_is_that_of_its_release():
    released = re.findall(r"^## \[[\d.]+\] - (\d{4}-\d\d-\d\d)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    newest = max((datetime.fromisoformat(day).replace(tzinfo=UTC) for day in released), default=RELEASED_AT)
    assert newest <= RELEASED_AT <= NOW
