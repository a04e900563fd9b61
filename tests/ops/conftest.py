from collections.abc import Iterator

import pytest

from tests.support.servers.aws import Moto


@pytest.fixture(scope="package")
def moto() -> Iterator[Moto]:
    with Moto() as moto:
        yield moto


@pytest.fixture
def aws(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """An empty account, which this process takes for AWS."""
    moto.use(monkeypatch)
    return moto
