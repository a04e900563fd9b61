from collections.abc import Callable, Iterator

import pytest

from tests.support.link.credentials import credential_supply
from tests.support.servers.tms import RunningTMS


@pytest.fixture(scope="package")
def tms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTMS]:
    """A running TMS, shared by all tests that need no other limits. Takeovers are counted for each terminal."""
    with RunningTMS(tmp_path_factory.mktemp("tms"), TMS_TAKEOVERS_PER_MINUTE="3") as running:
        yield running


@pytest.fixture(scope="package")
def enrol(tms: RunningTMS) -> Callable[[], str]:
    """Returns the credential of a terminal that no other test uses."""
    return credential_supply(tms)
