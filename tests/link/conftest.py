from collections.abc import Callable, Iterator
from itertools import count

import pytest

from tests.running import Running


@pytest.fixture(scope="module")
def tms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running TMS for the tests of one module."""
    with Running(tmp_path_factory.mktemp("tms")) as running:
        yield running


@pytest.fixture
def enrol(tms: Running, request: pytest.FixtureRequest) -> Callable[[], str]:
    """Gives the credential of a terminal that no other test uses."""
    numbers = count(1)
    return lambda: tms.enrol(f"T{abs(hash(request.node.nodeid)) % 10**9}-{next(numbers)}")
