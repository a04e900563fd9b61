"""Switch identity providers on and off, and delete them. Every change is audited."""

from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.identity_providers import groups
from tms.accounts.identity_providers.oidc import client_key
from tms.accounts.models import IdentityProvider
from tms.accounts.sessions import provider as provider_sessions


@transaction.atomic
def disable(provider: IdentityProvider) -> None:
    """Nobody signs in there any more, and sessions that began there end. Grants stay."""
    if IdentityProvider.objects.filter(pk=provider.pk, is_enabled=True).update(is_enabled=False):
        recorder.record("disabled", provider)
        provider_sessions.end(provider_sessions.of(provider))


@transaction.atomic
def enable(provider: IdentityProvider) -> None:
    if IdentityProvider.objects.filter(pk=provider.pk, is_enabled=False).update(is_enabled=True):
        recorder.record("enabled", provider)


@transaction.atomic
def delete(provider: IdentityProvider) -> None:
    """Delete a provider with its sessions, the grants of its groups, and the links to people, who stay."""
    provider_sessions.end(provider_sessions.of(provider))
    groups.withdraw_all(provider)
    recorder.record("deleted", provider)
    provider.delete()


@transaction.atomic
def renew_key(provider: IdentityProvider) -> None:
    """A new key signs from now on; the one before it stays public, for providers that have not read the new one yet."""
    provider.renew_private_key(client_key.new_key())
    provider.save(update_fields=("encrypted_secrets",))
    recorder.record("key-renewed", provider)
