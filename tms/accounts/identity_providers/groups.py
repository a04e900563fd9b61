"""Grants that follow from groups at a provider. Grants that people gave by hand are never touched."""

from collections.abc import Collection, Iterable

import structlog
from django.db import transaction

from tms.accounts.access import administrators
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.models import Grant, GroupMapping, IdentityProvider, User
from tms.accounts.people import holdings

type GrantKey = tuple[int, str, int | None, int | None]

log = structlog.get_logger(__name__)


def matching(provider: IdentityProvider, groups: Collection[str]) -> list[GroupMapping]:
    """The mappings of these groups. Names are compared exactly."""
    rows = provider.mappings.filter(value__in=groups).select_related("role", "site", "group")
    return [row for row in rows if row.value in groups]  # some databases compare without case


def renew(provider: IdentityProvider, person: User, groups: Collection[str]) -> None:
    """`apply` at a sign-in, which leaves the grants of the last administrator as they are.

    To refuse their sign-in would leave nobody who manages people, too.
    """
    try:
        apply(provider, person, groups)
    except administrators.LastAdministratorError:
        log.warning("last_administrator_keeps_grants", username=person.username, provider=provider.slug)


@transaction.atomic
def apply(provider: IdentityProvider, person: User, groups: Collection[str]) -> None:
    """Renew the grants of `person` that come from `provider`: give what follows from `groups`, withdraw the rest.

    Raises LastAdministratorError.
    """
    User.objects.select_for_update(of=("self",)).get(pk=person.pk)  # two sign-ins at once give nothing twice
    wanted = {key_of(mapping): mapping for mapping in matching(provider, groups)}
    held = {key_of(grant): grant for grant in _grants_of(provider, person)}
    for key in wanted.keys() - held.keys():
        holdings.give(wanted[key].role, scope_of(wanted[key]), to=person, provider=provider)
    if outdated := [held[key] for key in held.keys() - wanted.keys()]:
        with administrators.keeping_one():
            for grant in outdated:
                holdings.withdraw(grant)


def withdraw_all(provider: IdentityProvider) -> int:
    """All grants that come from `provider`. Returns how many there were."""
    grants = list(Grant.objects.filter(provider=provider).select_related("person", "role", "site", "group"))
    for grant in grants:
        holdings.withdraw(grant)
    return len(grants)


def number_of_grants(provider: IdentityProvider) -> int:
    return Grant.objects.filter(provider=provider).count()


def scope_of(row: GroupMapping | Grant) -> GrantScope:
    return GrantScope(row.region, row.site, row.group)


def key_of(row: GroupMapping | Grant) -> GrantKey:
    """A key that is equal for equal roles and scopes."""
    return row.role_id, row.region, row.site_id, row.group_id


def _grants_of(provider: IdentityProvider, person: User) -> Iterable[Grant]:
    return Grant.objects.filter(provider=provider, person=person).select_related("role", "site", "group")
