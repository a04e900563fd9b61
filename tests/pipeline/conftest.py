from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.support.servers.aws import Ministack, Moto


@pytest.fixture(scope="package")
def moto() -> Iterator[Moto]:
    with Moto() as moto:
        yield moto


@pytest.fixture(scope="package")
def ministack() -> Iterator[Ministack]:
    """Supports instance refreshes, which moto does not."""
    with Ministack() as ministack:
        yield ministack


@pytest.fixture
def as_aws(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Use an emulator as AWS in this process."""

    def take(environment: Mapping[str, str]) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)

    return take


@pytest.fixture
def aws(moto: Moto, as_aws: Any) -> Moto:
    """An empty account."""
    moto.reset()
    as_aws(moto.env)
    return moto
