import pytest

from tests.support.builders import Fleet


@pytest.fixture
def fleet(db: None) -> Fleet:
    return Fleet()
