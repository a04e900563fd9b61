from collections.abc import Callable, Iterator

import pytest

from tests.running import Running

AT_ONCE = 16


@pytest.fixture(scope="module")
def tms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running TMS for the tests of one module."""
    with Running(tmp_path_factory.mktemp("tms")) as running:
        yield running


@pytest.fixture(scope="module")
def enrol(tms: Running) -> Callable[[], str]:
    """Gives the credential of a terminal that no other test uses."""
    credentials: list[str] = []

    def next_credential() -> str:
        if not credentials:
            credentials.extend(tms.enrol_many(AT_ONCE))
        return credentials.pop()

    return next_credential
