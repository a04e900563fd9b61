"""The admin from the view of an operator: `admin_client` is signed in."""

import pytest

from tms.accounts.models import User


@pytest.fixture
def admin_user(db: None) -> User:
    """A user without a password: it is not needed here, and hashing takes a third of a second."""
    return User.objects.create(username="operator", is_staff=True, is_superuser=True)
