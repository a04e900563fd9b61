from collections.abc import Iterator
from ipaddress import ip_network

import pytest

from tests.support.servers import hostile_provider, identity_provider
from tests.support.servers.hostile_provider import HostileProvider
from tests.support.servers.identity_provider import IdentityProviderServer
from tms.accounts.identity_providers.oidc.metadata import directory
from tms.accounts.models import IdentityProvider


@pytest.fixture
def provider(db) -> IdentityProvider:
    """One that creates people at their first sign-in."""
    return IdentityProvider.objects.create(
        name="Company account", slug="company", issuer="https://login.example", client_id="tms", creates_people=True
    )


@pytest.fixture
def loopback(settings) -> None:
    """Operators of TMS permit providers on this machine."""
    settings.INSIDE_DESTINATIONS = [ip_network("127.0.0.1")]
    directory.reset()


@pytest.fixture(scope="session")
def server() -> Iterator[IdentityProviderServer]:
    with identity_provider.running() as server:
        yield server


@pytest.fixture
def company(provider, server, loopback) -> IdentityProvider:
    """`provider` is the real one, where Keiko is known."""
    client = server.register("http://testserver")
    server.put("keiko", given_name="Keiko", email="keiko@noc.example", email_verified=True, groups=["noc", "tea"])
    provider.issuer, provider.client_id, provider.client_secret = server.issuer, client.id, client.secret
    provider.scopes = "openid profile email groups"
    provider.save()
    return provider


@pytest.fixture
def hostile(provider, loopback) -> Iterator[HostileProvider]:
    """`provider` answers what the test says."""
    with hostile_provider.running() as server:
        provider.issuer, provider.client_id = server.issuer, hostile_provider.CLIENT
        provider.save()
        yield server
