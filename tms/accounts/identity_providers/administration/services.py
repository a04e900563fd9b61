"""Switch identity providers on and off, and delete them. Every change is audited."""

from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.identity_providers import groups, sessions
from tms.accounts.models import IdentityProvider


@transaction.atomic
def disable(provider: IdentityProvider) -> None:
    """Nobody signs in there any more, and sessions that began there end. Grants stay."""
    if IdentityProvider.objects.filter(pk=provider.pk, is_enabled=True).update(is_enabled=False):
        recorder.record("disabled", provider)
        sessions.end(sessions.of(provider))


@transaction.atomic
def enable(provider: IdentityProvider) -> None:
    if IdentityProvider.objects.filter(pk=provider.pk, is_enabled=False).update(is_enabled=True):
        recorder.record("enabled", provider)


@transaction.atomic
def delete(provider: IdentityProvider) -> None:
    """With its sessions, the grants of its groups, and the links to people, who stay."""
    sessions.end(sessions.of(provider))
    groups.withdraw_all(provider)
    recorder.record("deleted", provider)
    provider.delete()
