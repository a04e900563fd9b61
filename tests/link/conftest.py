from collections.abc import Callable, Iterator

import pytest

from tests.support.link.credentials import credential_supply
from tests.support.servers.tms import SERVERS, RunningTMS


@pytest.fixture(scope="package", params=SERVERS)
def on(request: pytest.FixtureRequest) -> str:
    """The servers of TMS: the guarantees of the link hold on each."""
    return str(request.param)


@pytest.fixture(scope="package")
def tms(tmp_path_factory: pytest.TempPathFactory, on: str) -> Iterator[RunningTMS]:
    """A running TMS, shared by all tests that need no other limits. Takeovers are counted for each terminal."""
    with RunningTMS(tmp_path_factory.mktemp("tms"), TMS_SERVER=on, TMS_TAKEOVERS_PER_MINUTE="3") as running:
        yield running


@pytest.fixture(scope="package")
def enrol(tms: RunningTMS) -> Callable[[], str]:
    """Returns the credential of a terminal that no other test uses."""
    return credential_supply(tms)
