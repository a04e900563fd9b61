"""The limit of links per address, and whose X-Forwarded-For is trusted."""

import json
from collections.abc import Callable, Iterator

import pytest
from websockets.exceptions import InvalidStatus

from tests.support.link.credentials import credential_supply
from tests.support.link.terminal import Terminal
from tests.support.polling import wait_for_value_async
from tests.support.servers.tms import RunningTMS

pytestmark = pytest.mark.both

ROOM_FOR_ONE = 'tms_connection_limit_usage{by="address"} 0.5'
FAR, OTHER = "203.0.113.7", "203.0.113.8"


@pytest.fixture(scope="module")
def tms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTMS]:
    """A TMS behind a proxy on this machine, with two connections per address."""
    limits = {"TMS_TRUSTED_PROXIES": "127.0.0.1", "TMS_CONNECTIONS_PER_ADDRESS": "2"}
    with RunningTMS(tmp_path_factory.mktemp("tms"), **limits) as running:
        yield running


@pytest.fixture(scope="module")
def enrol(tms: RunningTMS) -> Callable[[], str]:
    return credential_supply(tms)


async def test_a_third_link_of_an_address_is_refused_until_one_has_closed(tms, enrol):
    first, second = [await through_proxy(tms, enrol(), FAR) for _ in range(2)]

    with pytest.raises(InvalidStatus) as refused:
        await through_proxy(tms, enrol(), FAR)

    response = refused.value.response
    assert response.status_code == 503
    assert response.headers["Retry-After"]
    assert json.loads(response.body)["detail"] == "too many connections from your address; this node allows 2"
    assert 'tms_connection_limit_usage{by="address"} 1.0' in tms.get("/metrics")[1]
    await first.socket.close()
    third = await admitted(tms, enrol, FAR)
    await second.socket.close()
    await third.socket.close()


async def test_another_address_behind_the_same_proxy_is_accepted(tms, enrol):
    links = [await through_proxy(tms, enrol(), address) for address in (FAR, FAR, OTHER)]

    for link in links:
        await link.boot()
        await link.socket.close()


async def test_a_client_cannot_forge_the_address_it_is_counted_under(tms, enrol):
    """Values before the hop that the proxy added come from the client."""
    links = [await through_proxy(tms, enrol(), f"198.51.100.{number}, {FAR}") for number in range(2)]

    with pytest.raises(InvalidStatus) as refused:
        await through_proxy(tms, enrol(), f"198.51.100.9, {FAR}")

    assert refused.value.response.status_code == 503
    for link in links:
        await link.socket.close()


async def through_proxy(tms: RunningTMS, credential: str, forwarded_for: str) -> Terminal:
    return await Terminal.connect(tms.link, credential, forwarded_for=forwarded_for)


async def admitted(tms: RunningTMS, enrol: Callable[[], str], address: str) -> Terminal:
    """Wait until the node has noticed that one of two links closed."""
    await wait_for_value_async(lambda: ROOM_FOR_ONE in tms.get("/metrics")[1], expected=True)
    return await through_proxy(tms, enrol(), address)
