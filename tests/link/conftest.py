from collections.abc import Callable, Iterator

import pytest

from tests.support.running import SERVERS, Running

AT_ONCE = 16


@pytest.fixture(scope="session", params=SERVERS)
def on(request: pytest.FixtureRequest) -> str:
    """The library that TMS serves on: what the link promises holds on each."""
    return str(request.param)


@pytest.fixture(scope="session")
def tms(tmp_path_factory: pytest.TempPathFactory, on: str) -> Iterator[Running]:
    """A running TMS, the same for all tests that ask no other limits of it."""
    with Running(tmp_path_factory.mktemp("tms"), TMS_SERVER=on) as running:
        yield running


@pytest.fixture(scope="session")
def enrol(tms: Running) -> Callable[[], str]:
    """Gives the credential of a terminal that no other test uses."""
    return supply(tms)


def supply(tms: Running) -> Callable[[], str]:
    credentials: list[str] = []

    def next_credential() -> str:
        if not credentials:
            credentials.extend(tms.enrol_many(AT_ONCE))
        return credentials.pop()

    return next_credential
