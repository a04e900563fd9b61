"""Link one's own account to a subject at a provider, and unlink it. Audited, and mailed to the person."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from tms.accounts.access import administrators
from tms.accounts.audit import recorder
from tms.accounts.factors import policy
from tms.accounts.identity_providers import groups, provisioning
from tms.accounts.mail import notices
from tms.accounts.mail.notices import Notice
from tms.accounts.models import Identity, IdentityProvider, ProviderSession, User
from tms.accounts.sessions import provider as provider_sessions
from tms.accounts.sign_in import break_glass
from tms.accounts.sign_in.assertion import Assertion, SignInRefused


class OwnProvider(NamedTuple):
    """A provider, and the person's identity there."""

    provider: IdentityProvider
    identity: Identity | None


def providers_of(person: User) -> Sequence[OwnProvider]:
    """The providers at which the person signs in, and the enabled ones to which they may link their account."""
    own = {row.provider_id: row for row in Identity.objects.filter(person=person)}
    rows = [OwnProvider(row, own.get(row.pk)) for row in IdentityProvider.objects.all()]
    can_link = may_link(person)
    return [row for row in rows if row.identity or (can_link and row.provider.is_enabled)]


def may_link(person: User) -> bool:
    """A break-glass account must not depend on a provider."""
    return not person.is_service and not break_glass.is_named(person)


def link(provider: IdentityProvider, person: User, asserted: Assertion, *, at: datetime) -> Identity:
    """Let `person` also sign in as this subject. Their groups there give grants. Raises SignInRefused."""
    if not may_link(person):
        raise SignInRefused("may-not-link", gettext("This account signs in with its password only."))
    provisioning.check_domain(provider, asserted)
    try:
        with transaction.atomic():
            User.objects.select_for_update().get(pk=person.pk)
            identity = _own(provider, person, asserted)
            if identity is None:
                identity = provisioning.link(provider, person, asserted)
                notices.send(person, Notice.PROVIDER_LINKED)
            Identity.objects.filter(pk=identity.pk).update(signed_in_at=at)
            groups.apply(provider, person, asserted.groups)
    except IntegrityError:
        raise SignInRefused("conflict", gettext("Another sign-in was faster. Try again.")) from None
    return identity


def _own(provider: IdentityProvider, person: User, asserted: Assertion) -> Identity | None:
    """The identity, if it is the person's already. Raises SignInRefused if it, or the person, is linked otherwise."""
    known = provisioning.known_identity(provider, asserted)
    if known is not None and known.person_id != person.pk:
        text = gettext("You signed in there as a person who has another account in TMS.")
        raise SignInRefused("taken", text)
    if known is None and Identity.objects.filter(provider=provider, person=person).exists():
        text = gettext("Your account is linked to another account there. Unlink it first.")
        raise SignInRefused("other-person", text)
    return known


@transaction.atomic
def unlink(identity: Identity) -> bool:
    """End the sessions that began there, and withdraw the grants of its groups. False if it is the only way in.

    Raises LastAdministratorError.
    """
    with administrators.keeping_one():
        return _unlink(identity)


def _unlink(identity: Identity) -> bool:
    """Removes an address that the provider did not verify: without the identity it would look like a verified one."""
    person, provider = identity.person, identity.provider
    locked = User.objects.select_for_update().get(pk=person.pk)
    if policy.is_only_way(identity, of=locked):
        return False
    provider_sessions.end(ProviderSession.objects.filter(identity=identity))
    groups.apply(provider, person, ())
    changes = {"provider": (provider.name, None), "subject": (identity.subject, None)}
    recorder.record("identity-unlinked", person, changes)
    notices.send(person, Notice.PROVIDER_UNLINKED)
    if locked.email and not locked.is_name_verified:
        with recorder.change(locked):
            locked.email = ""
            locked.save(update_fields=("email",))
    identity.delete()
    return True
