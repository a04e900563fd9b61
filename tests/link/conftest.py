from collections.abc import Callable, Iterator

import pytest

from tests.support.link.credentials import credential_supply
from tests.support.servers.tms import SERVERS, RunningTMS


@pytest.fixture(scope="session", params=SERVERS)
def on(request: pytest.FixtureRequest) -> str:
    """The servers of TMS: the guarantees of the link hold on each."""
    return str(request.param)


@pytest.fixture(scope="session")
def tms(tmp_path_factory: pytest.TempPathFactory, on: str) -> Iterator[RunningTMS]:
    """A running TMS, shared by all tests that need no other limits."""
    with RunningTMS(tmp_path_factory.mktemp("tms"), TMS_SERVER=on) as running:
        yield running


@pytest.fixture(scope="session")
def enrol(tms: RunningTMS) -> Callable[[], str]:
    """Returns the credential of a terminal that no other test uses."""
    return credential_supply(tms)
