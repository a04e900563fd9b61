from collections.abc import Iterator

import pytest

from tests.support.servers.aws import Moto
from tests.support.servers.tms import RunningTMS


@pytest.fixture(scope="package")
def moto() -> Iterator[Moto]:
    with Moto() as moto:
        yield moto


@pytest.fixture(scope="package")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTMS]:
    """A TMS with one terminal, `SHJ-PAY-01`, which was never seen. Tests only read its metrics."""
    hosts = {"TMS_ALLOWED_HOSTS": "tms.example.com", "TMS_TRUSTED_PROXIES": "127.0.0.1"}
    with RunningTMS(tmp_path_factory.mktemp("tms"), TMS_MAX_CONNECTIONS="500", **hosts) as tms:
        tms.enrol("SHJ-PAY-01")
        yield tms


@pytest.fixture
def aws(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """An empty account, which this process takes for AWS."""
    moto.use(monkeypatch)
    return moto
