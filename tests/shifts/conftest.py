import pytest

from tms.accounts.models import User


@pytest.fixture
def sato(db: None) -> User:
    return User.objects.create_user("sato", first_name="健", last_name="佐藤")


@pytest.fixture
def mori(db: None) -> User:
    return User.objects.create_user("mori", first_name="Ren", last_name="Mori")
