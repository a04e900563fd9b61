"""The person whom a provider asserts: found by issuer and subject, linked or created at their first sign-in."""

from collections.abc import Container
from datetime import datetime

import structlog
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext

from tms.accounts.audit import recorder
from tms.accounts.identity_providers import groups
from tms.accounts.models import Identity, IdentityProvider, User
from tms.accounts.normal_form import normal
from tms.accounts.sign_in import break_glass
from tms.accounts.sign_in.assertion import Assertion, SignInRefused
from tms.lib.hashing import hash_token

MAX_USERNAME_CHARACTERS = 150
DIGITS = 12
FOLLOWED = ("first_name", "last_name", "email", "is_name_verified")

log = structlog.get_logger(__name__)


def identify(provider: IdentityProvider, asserted: Assertion, *, at: datetime) -> Identity:
    """The identity of a sign-in, with its person. Their grants of this provider are renewed. Raises SignInRefused."""
    check_domain(provider, asserted)
    try:
        with transaction.atomic():
            identity = known_identity(provider, asserted) or _first(provider, asserted)
            _follow(identity, asserted, provider.domains, at=at)
            groups.renew(provider, identity.person, asserted.groups)
    except IntegrityError:
        raise SignInRefused("conflict", gettext("Another sign-in was faster. Try again.")) from None
    return identity


def check_domain(provider: IdentityProvider, asserted: Assertion) -> None:
    """Raises SignInRefused unless the address is verified and of the provider's domains, if it has any."""
    if not provider.domains:
        return
    if not asserted.is_email_verified:
        text = gettext("The provider did not confirm your e-mail address, and only some domains may sign in.")
        raise SignInRefused("email-unverified", text)
    if asserted.email_domain not in provider.domains:
        text = gettext("Addresses of %(domain)s may not sign in here.") % {"domain": asserted.email_domain or "–"}
        raise SignInRefused("email-domain", text)


def known_identity(provider: IdentityProvider, asserted: Assertion) -> Identity | None:
    """The identity of this subject, with its person."""
    rows = Identity.objects.filter(provider=provider, issuer=asserted.issuer, subject=asserted.subject)
    return rows.select_related("person").first()


def _first(provider: IdentityProvider, asserted: Assertion) -> Identity:
    """The first sign-in of this subject: link an existing person, or create one, as far as the provider permits it."""
    person = _linkable(provider, asserted) if provider.links_by_email else None
    if person is not None:
        return link(provider, person, asserted)
    if not provider.creates_people:
        text = gettext("You have no account in TMS yet. Ask an administrator for one.")
        raise SignInRefused("unknown-person", text)
    return link(provider, _create(provider, asserted), asserted, is_provisioned=True)


def link(provider: IdentityProvider, person: User, asserted: Assertion, *, is_provisioned: bool = False) -> Identity:
    """Link this subject at the provider to `person`."""
    identity = Identity.objects.create(
        provider=provider,
        person=person,
        issuer=asserted.issuer,
        subject=asserted.subject,
        is_provisioned=is_provisioned,
    )
    recorder.record("identity-linked", person, {"provider": (None, provider.name), "subject": (None, asserted.subject)})
    return identity


def _linkable(provider: IdentityProvider, asserted: Assertion) -> User | None:
    """The only person with this verified address.

    Never a superuser, a break-glass or a service account, nor one that is linked to another subject there: for them an
    address is not proof enough. Nor one whose name nobody verified: the person there could have waited for the owner
    of the address, and for what they will hold.
    """
    email = asserted.verified_email(provider.domains)
    if not email:
        return None
    keys = User.objects.keys_of(email, column="email")
    found = [one for one in User.objects.filter(pk__in=keys, is_active=True, is_service=False) if one.email.isascii()]
    if len(found) != 1 or found[0].is_superuser or not found[0].is_name_verified or break_glass.is_named(found[0]):
        return None
    is_linked = Identity.objects.filter(provider=provider, person=found[0]).exists()
    return None if is_linked else found[0]


def _create(provider: IdentityProvider, asserted: Assertion) -> User:
    email = asserted.verified_email(provider.domains)
    username = email or _username(asserted) or f"{provider.slug}-{hash_token(asserted.subject)[:DIGITS]}"
    person = User(
        username=username,
        email=email,
        password=make_password(None),
        language=asserted.language,
        is_name_verified=bool(email),
    )
    _copy_name(person, asserted)
    try:
        person.clean_fields(exclude=("password",))  # first: the database refuses to look for some characters
    except ValidationError:
        text = gettext("The provider sends no usable name: %(name)s") % {"name": username}
        raise SignInRefused("bad-name", text) from None
    if User.objects.is_taken(username, asserted.email):
        text = gettext("An account with this name or address exists already. Ask an administrator to link it.")
        raise SignInRefused("taken", text)
    person.save()
    recorder.record("created", person, {"provider": (None, provider.name)})
    return person


def _username(asserted: Assertion) -> str:
    """The name that the person has there. Never an address: it could be that of another person."""
    return "" if "@" in normal(asserted.username) else asserted.username[:MAX_USERNAME_CHARACTERS]


def _follow(identity: Identity, asserted: Assertion, domains: Container[str], *, at: datetime) -> None:
    """Name and verified address of a person whom the provider created are those at the provider."""
    Identity.objects.filter(pk=identity.pk).update(signed_in_at=at)
    person = identity.person
    if not person.is_active:
        raise SignInRefused("disabled", gettext("Your account in TMS is disabled. Ask an administrator."))
    if not identity.is_provisioned:
        return
    before = [getattr(person, name) for name in FOLLOWED]
    _copy_name(person, asserted)
    _copy_address(person, asserted.verified_email(domains))
    if [getattr(person, name) for name in FOLLOWED] != before:
        with recorder.change(person):
            person.save(update_fields=FOLLOWED)


def _copy_name(person: User, asserted: Assertion) -> None:
    person.first_name = asserted.first_name or person.first_name
    person.last_name = asserted.last_name or person.last_name


def _copy_address(person: User, email: str) -> None:
    """Copy the address, unless another account has it: the former one stays."""
    if not email:
        return
    if email != person.email and User.objects.is_taken(email, besides=person):
        log.warning("address_of_another_account", username=person.username)
        return
    person.email = email
    person.is_name_verified |= normal(person.username) == normal(email)
