"""Who changes a provider decides who signs in as whom, so that they must hold what people hold who sign in there."""

from collections.abc import Iterator
from typing import NamedTuple, Self

from django.db.models import Q, QuerySet
from django.utils.translation import gettext

from tms.accounts import access
from tms.accounts.access import Person
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.models import Grant, IdentityProvider, Role, User


class Given(NamedTuple):
    """A role for a scope that a person has by signing in at a provider."""

    role: Role
    scope: GrantScope

    def is_held_by(self, person: Person) -> bool:
        return all(access.may_within(person, each, self.scope.value) for each in self.role.known_permissions)

    @classmethod
    def all_of(cls, provider: IdentityProvider, *, links_by_email: bool) -> Iterator[Self]:
        """What people get by the provider's groups, and by signing in as a person who is linked to it, or can be."""
        related = ("role", "site", "group")
        if provider.pk:
            for mapping in provider.mappings.select_related(*related):
                yield cls(mapping.role, GrantScope(mapping.region, mapping.site, mapping.group))
        grants = Grant.objects.exclude(person__is_service=True)
        if not links_by_email:
            linked = linked_to(provider)
            grants = grants.filter(Q(person__in=linked) | Q(team__members__in=linked))
        for grant in grants.select_related(*related):
            yield cls(grant.role, GrantScope.of(grant))


def linked_to(provider: IdentityProvider) -> QuerySet[User]:
    """Who signs in there: nobody yet, if it is new."""
    return User.objects.filter(identities__provider=provider) if provider.pk else User.objects.none()


def refusal(provider: IdentityProvider, *, links_by_email: bool, by: Person) -> str:
    """Why `by` may not change whom the provider signs in; empty if they may."""
    superusers = linked_to(provider).filter(is_superuser=True)
    if not by.is_superuser and superusers.exists():
        return gettext("A superuser signs in there. Only superusers can change this provider.")
    given = dict.fromkeys(Given.all_of(provider, links_by_email=links_by_email))
    missing = (one for one in given if not one.is_held_by(by))
    if (found := next(missing, None)) is None:
        return ""
    text = gettext("People who sign in there hold what you do not hold: %(role)s for %(scope)s.")
    return text % {"role": found.role, "scope": found.scope.label}
