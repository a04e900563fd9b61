import pytest

from tms.accounts.models import IdentityProvider


@pytest.fixture
def provider(db) -> IdentityProvider:
    """One that creates people at their first sign-in."""
    return IdentityProvider.objects.create(
        name="Company account", slug="company", issuer="https://login.example", client_id="tms", creates_people=True
    )
