"""Give and withdraw grants, change the members of teams, delete teams. Every change is audited.

Forms and views check what the person who does it may grant: see `account.may_change`.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext

from tms.accounts.access.grant_scopes import GrantScope
from tms.accounts.audit import recorder
from tms.accounts.models import Grant, IdentityProvider, ProvisionedTeam, Role, Team, User


class UnverifiedAddressError(Exception):
    """A provider created the account under an address that nobody verified. The text is for people."""

    def __init__(self, person: User) -> None:
        text = gettext(
            "Nobody verified that the address %(username)s belongs to this person: an identity provider named it."
            " Confirm it on the person's page first."
        )
        super().__init__(text % {"username": person.username})


def require_verified(*people: User) -> None:
    """Raises UnverifiedAddressError: what is meant for the owner of an address would go to the person who named it."""
    for person in people:
        if person.has_unverified_address:
            raise UnverifiedAddressError(person)


@transaction.atomic
def give(
    role: Role,
    scope: GrantScope,
    *,
    to: User | Team,
    by: User | None = None,
    provider: IdentityProvider | None = None,
) -> Grant:
    """The grant, which may have existed before. `provider`: from whose groups it follows, if `by` nobody.

    Raises UnverifiedAddressError.
    """
    if provider is None and isinstance(to, User):
        require_verified(to)
    columns: dict[str, Any] = {"person": to} if isinstance(to, User) else {"team": to}
    columns |= {"role": role, "provider": provider, **scope.columns}
    known = Grant.objects.filter(**columns).first()
    if known is not None:
        return known
    grant = Grant.objects.create(**columns, created_by=by)
    recorder.record("granted", grant, {"provider": (None, provider.name)} if provider else None)
    return grant


@transaction.atomic
def withdraw(grant: Grant) -> None:
    provider = grant.provider
    recorder.record("withdrawn", grant, {"provider": (provider.name, None)} if provider else None)
    grant.delete()


def add_member(team: Team, person: User) -> bool:
    """Add a person to a team. Returns False if they were in it. Raises UnverifiedAddressError."""
    if team.members.filter(pk=person.pk).exists():
        return False
    add_members(team, [person])
    return True


@transaction.atomic
def add_members(team: Team, people: Sequence[User]) -> None:
    """People who are not in the team. Raises UnverifiedAddressError."""
    require_verified(*people)
    team.members.add(*people)
    recorder.record("member-added", team, {"members": (None, _names(people))})


def remove_member(team: Team, person: User) -> bool:
    """Remove a person from a team. Returns False if they were not in it."""
    if not team.members.filter(pk=person.pk).exists():
        return False
    remove_members(team, [person])
    return True


@transaction.atomic
def remove_members(team: Team, people: Sequence[User]) -> None:
    """People who are in the team."""
    team.members.remove(*people)
    recorder.record("member-removed", team, {"members": (_names(people), None)})


def _names(people: Sequence[User]) -> str:
    return ", ".join(person.username for person in people)


@transaction.atomic
def release_team(team: Team) -> None:
    """Manage the team's name and members in TMS, until the directory changes it again."""
    if ProvisionedTeam.objects.filter(team=team).delete()[0]:
        recorder.record("released", team)


@transaction.atomic
def delete_team(team: Team) -> None:
    """Delete a team with its grants."""
    for grant in team.grants.select_related("role", "site", "group"):
        withdraw(grant)
    recorder.record("deleted", team)
    team.delete()
