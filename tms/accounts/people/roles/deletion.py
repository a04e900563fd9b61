"""Deleting a role: what it takes away from whom, on the page that asks and in the audit trail."""

from collections.abc import Sequence
from typing import NamedTuple, Self

from django.db import transaction
from django.utils.translation import gettext, ngettext

from tms.accounts import access
from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.audit import recorder
from tms.accounts.display_names import name_of
from tms.accounts.models import Grant, GroupMapping, IdentityProvider, Role, User
from tms.accounts.people import holdings
from tms.accounts.people.roles.matrix import holders
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING

MAX_NAMES = 10
"""The number of names of each kind on the page."""


def may_delete(by: User, role: Role) -> bool:
    """Deleting a role, or bringing it back, takes everything in it, as changing it does."""
    needed = {Permission.EDIT_ROLES, *role.known_permissions}
    return all(access.may_within(by, permission, EVERYTHING) for permission in needed)


class RoleUse(NamedTuple):
    """Who and what has a role."""

    grants: Sequence[Grant]
    people: Sequence[User]
    """Who hold it, themselves or through a team."""
    mappings: Sequence[GroupMapping]

    @classmethod
    def of(cls, role: Role) -> Self:
        return cls(
            list(role.grants.select_related("person", "team", "role", "site", "group", "provider").order_by("pk")),
            list(holders(role).order_by("username")),
            list(role.mappings.select_related("provider", "role", "site", "group").order_by("provider__name", "value")),
        )

    @property
    def consequences(self) -> list[str]:
        """The consequences in sentences."""
        if not (self.grants or self.mappings):
            return [gettext("No grant uses it.")]
        lines = []
        if number := len(self.grants):
            text = ngettext("%d grant uses it and is withdrawn:", "%d grants use it and are withdrawn:", number)
            lines.append(_with_names(text % number, [_grant(grant) for grant in self.grants]))
            people = len(self.people)
            text = ngettext(
                "%d person loses its permissions at once:", "%d people lose its permissions at once:", people
            )
            lines.append(_with_names(text % people, [name_of(person).text for person in self.people]))
        if number := len(self.mappings):
            text = ngettext(
                "%d group of an identity provider gives it no longer:",
                "%d groups of identity providers give it no longer:",
                number,
            )
            lines.append(_with_names(text % number, [_mapping(mapping) for mapping in self.mappings]))
        return lines

    @property
    def audited(self) -> dict[str, tuple[list[str], None]]:
        named = {
            "grants": [str(grant) for grant in self.grants],
            "people": [person.username for person in self.people],
            "mappings": [f"{mapping.provider}: {mapping}" for mapping in self.mappings],
        }
        return {name: (recorder.plain(names), None) for name, names in named.items() if names}


@transaction.atomic
def delete(role: Role) -> None:
    """Delete a role with all its grants and group mappings."""
    use = RoleUse.of(Role.objects.select_for_update().get(pk=role.pk))
    recorder.record("deleted", role, use.audited)
    for grant in use.grants:
        holdings.withdraw(grant)
    for provider in IdentityProvider.objects.filter(mappings__role=role).distinct():
        with recorder.change(provider):
            provider.mappings.filter(role=role).delete()
    role.delete()


def _grant(grant: Grant) -> str:
    holder = name_of(grant.person).text if grant.person else gettext("team %(name)s") % {"name": grant.team}
    return f"{holder} ({GrantScope.of(grant).label})"


def _mapping(mapping: GroupMapping) -> str:
    return f"{mapping.value} · {mapping.provider} ({mapping.scope_name})"


def _with_names(text: str, names: Sequence[str]) -> str:
    """`3 people lose it: A, B and 1 more`."""
    shown = gettext(", ").join(names[:MAX_NAMES])
    more = len(names) - MAX_NAMES
    return f"{text} {shown}" if more <= 0 else f"{text} {shown} {ngettext('and %d more', 'and %d more', more) % more}"
