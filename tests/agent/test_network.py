"""The way to TMS: a client certificate that is renewed, and proxies."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives import serialization

from tests.agent.certificates import certificate
from tests.agent.fake_tms import FakeTMS
from tests.agent.http_proxy import PASSWORD, USER
from tests.agent.running_agent import CREDENTIAL
from tms_agent import arguments
from tms_agent.connection.dialer import Dialer
from tms_agent.connection.https import connection_to
from tms_agent.connection.link import LinkEnd, Unreachable
from tms_agent.connection.network import Network
from tms_agent.connection.tls import TlsFiles
from tms_agent.options import Options

NOW = datetime.now(UTC)
DAY = timedelta(days=1)
DATES = (NOW - DAY, NOW + DAY)


# TLS


@pytest.fixture
async def tls_tms(tmp_path) -> AsyncIterator[FakeTMS]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate(tmp_path / "server.pem", *DATES))
    async with FakeTMS(context) as tms:
        yield tms


@pytest.fixture
async def strict_tms(tmp_path) -> AsyncIterator[FakeTMS]:
    """TMS that wants one of two client certificates, `first.pem` and `second.pem`."""
    server = certificate(tmp_path / "server.pem", *DATES)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server)
    context.verify_mode = ssl.CERT_REQUIRED
    for name in ("first.pem", "second.pem"):
        context.load_verify_locations(certificate(tmp_path / name, *DATES))
    async with FakeTMS(context) as tms:
        yield tms


def shown_to(tms_link) -> str:
    return tms_link.connection.transport.get_extra_info("peercert")["serialNumber"]


async def test_a_certificate_is_read_again_when_it_was_renewed(strict_tms, start, tmp_path, lines):
    mine = tmp_path / "mine.pem"
    mine.write_bytes((tmp_path / "first.pem").read_bytes())
    network = Network(TlsFiles(tmp_path / "server.pem", mine, mine), proxy="")
    start(url=strict_tms.url, options=Options(network=network))
    links = [await strict_tms.booted()]

    for content in (b"half written", (tmp_path / "second.pem").read_bytes()):
        mine.write_bytes(content)
        links[-1].cut()
        links.append(await strict_tms.booted())

    first, while_written, renewed = (shown_to(link) for link in links)
    assert first == while_written != renewed
    assert "in PEM format; the certificate from before stays in use" in lines()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("none.pem", None, None), "tls.ca_file {}/none.pem: No such file or directory"),
        (("key.pem", None, None), "tls.ca_file {}/key.pem: expected a certificate"),
        ((None, "none.pem", None), "the client certificate {}/none.pem: No such file or directory"),
        ((None, "first.pem", "second.pem"), "second.pem: the key does not belong to the certificate"),
        ((None, "first.pem", "locked.pem"), "expected a certificate, and a key without a password, in PEM format"),
    ],
)
async def test_a_file_that_cannot_be_used_is_named(tmp_path, names, message):
    first, _ = (certificate(tmp_path / name, *DATES) for name in ("first.pem", "second.pem"))
    key, _, _ = first.read_text().partition("-----BEGIN CERTIFICATE")
    (tmp_path / "key.pem").write_text(key)
    (tmp_path / "locked.pem").write_bytes(locked(key))
    network = Network(TlsFiles(*(tmp_path / name if name else None for name in names)), proxy="")

    with pytest.raises(Unreachable) as failure:
        await Dialer("wss://127.0.0.1:9/", CREDENTIAL, network=network).dial()

    assert message.format(tmp_path) in str(failure.value)


def locked(key: str) -> bytes:
    plain = serialization.load_pem_private_key(key.encode(), None)
    how = serialization.BestAvailableEncryption(b"a password")
    return plain.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)


# Proxies


async def test_link_and_uploads_go_through_a_proxy_with_a_password(proxy, tls_tms, start, tmp_path, monkeypatch):
    tls_tms.refuse(503)
    of_proxy = {"PROXY_URL": proxy.url, "PROXY_USER": USER, "PROXY_PASSWORD": PASSWORD}
    for name, value in (of_proxy | {"TLS_CA_FILE": str(tmp_path / "server.pem")}).items():
        monkeypatch.setenv(f"TMS_AGENT_{name}", value)
    network = arguments.parse(["--url", tls_tms.url]).network

    status = await asyncio.to_thread(status_of, tls_tms.url, network)
    start(url=tls_tms.url, options=Options(network=network))
    await tls_tms.booted()

    target = tls_tms.url.removeprefix("wss://").partition("/")[0]
    assert status == 503
    assert proxy.targets == [target, target]


def status_of(url: str, network: Network) -> int:
    connection = connection_to(url, network)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status
    finally:
        connection.close()


async def test_a_wrong_password_is_attributed_to_the_proxy_without_being_shown(proxy, tms):
    wrong = proxy.url.replace("//", "//shop:hush@")

    with pytest.raises(Unreachable) as failure:
        await Dialer(tms.url, CREDENTIAL, network=Network(proxy=wrong)).dial()

    assert str(failure.value) == f"the proxy {proxy.url} wants a user and a password, or others than these (407)"


async def test_a_proxy_of_another_kind_in_the_environment_is_an_error_and_no_crash(monkeypatch):
    monkeypatch.setenv("https_proxy", "socks5h://me:hush@proxy.example:1080")
    monkeypatch.delenv("no_proxy", raising=False)

    with pytest.raises(LinkEnd) as failure:
        await Dialer("wss://tms.example/", CREDENTIAL).dial()

    assert str(failure.value) == "the proxy socks5h://proxy.example:1080 is not an HTTP proxy; only those can be used"
