import pytest

from tests.support import people
from tms.accounts.models import User


@pytest.fixture
def sato(db: None) -> User:
    return people.person("sato", first_name="健", last_name="佐藤")


@pytest.fixture
def mori(db: None) -> User:
    return people.person("mori", first_name="Ren", last_name="Mori")
