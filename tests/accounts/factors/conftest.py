import pytest
from allauth.mfa.models import Authenticator

from tests.support.accounts.steps import PASSWORD, SECRET, Steps
from tms.accounts.factors import services, totp
from tms.accounts.models import User


@pytest.fixture
def tanaka(db) -> User:
    return User.objects.create_user("tanaka", password=PASSWORD)


@pytest.fixture
def codes(tanaka, clock) -> list[str]:
    """An authenticator app whose code of now is not used yet; returns the recovery codes."""
    return services.add(tanaka, Authenticator.Type.TOTP, totp.data_of(SECRET, 0))


@pytest.fixture
def browser() -> Steps:
    return Steps()
