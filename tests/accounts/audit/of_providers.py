"""Requests about identity providers that leave an audit entry and need a recent sign-in or a provider."""

from collections.abc import Callable, Mapping
from ipaddress import ip_network

from django.http import HttpResponse
from django.test import override_settings

from tests.accounts.audit.of_accounts import Step, browser, keiko, of_boss, of_keiko
from tests.support.servers import hostile_provider
from tests.support.servers.hostile_provider import HostileProvider
from tms.accounts.models import Identity, IdentityProvider
from tms.accounts.roles import built_in

PAGES = "/people/identity-providers/"
FORM = {
    "name": "Partner account",
    "slug": "partner",
    "issuer": "https://login.example.invalid",
    "client_id": "tms",
    "client_auth": "secret",
    "scopes": "openid",
    "groups_claim": "groups",
    "factor_policy": "never",
}


def provider() -> IdentityProvider:
    return IdentityProvider.objects.all()[0]


def map_group() -> HttpResponse:
    mapping = {"value": "leads", "role": built_in("Lead").pk, "scope": "everything"}
    return of_boss().post(f"{PAGES}{provider().pk}/mappings/", mapping)


def asking(send: Callable[[HostileProvider], HttpResponse]) -> Callable[[], HttpResponse]:
    """The provider answers as it should."""

    def ask() -> HttpResponse:
        with hostile_provider.running() as server, override_settings(INSIDE_DESTINATIONS=[ip_network("127.0.0.1")]):
            IdentityProvider.objects.update(issuer=server.issuer, client_id=hostile_provider.CLIENT)
            return send(server)

    return ask


def log_out(server: HostileProvider) -> HttpResponse:
    return browser().post(f"/providers/{provider().slug}/logout/", {"logout_token": server.logout_token()})


def renew_key() -> HttpResponse:
    IdentityProvider.objects.update(client_auth="private_key_jwt")
    return of_boss().post(f"{PAGES}{provider().pk}/key/")


def unlink() -> HttpResponse:
    found = provider()
    Identity.objects.create(provider=found, person=keiko(), issuer=found.issuer, subject="k")
    return of_keiko().post(f"/me/providers/{found.slug}/unlink/")


STEPS: Mapping[str, Step] = {
    f"{PAGES}new/": Step("created", lambda: of_boss().post(f"{PAGES}new/", FORM)),
    f"{PAGES}<int:pk>/": Step("changed", lambda: of_boss().post(f"{PAGES}{provider().pk}/", FORM)),
    f"{PAGES}<int:pk>/mappings/": Step("changed", map_group),
    f"{PAGES}<int:pk>/key/": Step("key-renewed", renew_key),
    "/me/providers/<slug:slug>/unlink/": Step("identity-unlinked", unlink),
    f"{PAGES}<int:pk>/check/": Step("checked", asking(lambda _: of_boss().post(f"{PAGES}{provider().pk}/check/"))),
    f"{PAGES}<int:pk>/test/": Step("sign-in-tested", asking(lambda _: of_boss().post(f"{PAGES}{provider().pk}/test/"))),
    "/providers/<slug:slug>/logout/": Step("logged-out", asking(log_out)),
}
"""Steps by route. All are POST."""
