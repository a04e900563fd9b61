"""Give and withdraw grants, change the members of teams, delete teams and roles. Every change is audited.

Forms and views check what the person who does it may grant: see `account.may_change`.
"""

from typing import Any

from django.db import transaction

from tms.accounts.audit import recorder
from tms.accounts.models import Grant, IdentityProvider, Role, Team, User
from tms.accounts.people.scopes import GrantScope


@transaction.atomic
def give(
    role: Role,
    scope: GrantScope,
    *,
    to: User | Team,
    by: User | None = None,
    provider: IdentityProvider | None = None,
) -> Grant:
    """The grant, which may have existed before. `provider`: from whose groups it follows, if `by` nobody."""
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


@transaction.atomic
def add_member(team: Team, person: User) -> None:
    if team.members.filter(pk=person.pk).exists():
        return
    team.members.add(person)
    recorder.record("member-added", team, {"members": (None, person.username)})


@transaction.atomic
def remove_member(team: Team, person: User) -> None:
    if not team.members.filter(pk=person.pk).exists():
        return
    team.members.remove(person)
    recorder.record("member-removed", team, {"members": (person.username, None)})


@transaction.atomic
def delete_team(team: Team) -> None:
    """With its grants."""
    for grant in team.grants.select_related("role", "site", "group"):
        withdraw(grant)
    recorder.record("deleted", team)
    team.delete()


@transaction.atomic
def delete_role(role: Role) -> None:
    """With all grants of it."""
    for grant in role.grants.select_related("person", "team", "site", "group"):
        withdraw(grant)
    recorder.record("deleted", role)
    role.delete()
