"""The admin as an operator of TMS uses it: `admin_client` is signed in."""

import pytest

from tms.accounts.models import User


@pytest.fixture
def admin_user(db: None) -> User:
    """Without a password: nobody types one here, and hashing it takes a third of a second."""
    return User.objects.create(username="operator", is_staff=True, is_superuser=True)
