"""Plain values that the pages of people are rendered from."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext

from tms.accounts import access
from tms.accounts.access.grant_scopes import GrantScope, grants_within
from tms.accounts.display_names import Name, name_of
from tms.accounts.models import Grant, ProvisionedPerson, Team, User
from tms.accounts.people.sign_in_ways import SignInWays, ways_of
from tms.accounts.permissions import Permission
from tms.accounts.sessions.of_people import NONE, sessions_of

MAX_CHIPS = 2
MAX_SCOPES = 2


class Chip(NamedTuple):
    """A role with its scopes."""

    role: str
    scope: str


class PersonRow(NamedTuple):
    person: User
    name: Name
    chips: Sequence[Chip]
    further: int
    """Grants beyond the chips."""
    ways: SignInWays
    seen_at: datetime | None
    sessions: int

    @property
    def address(self) -> str:
        return self.person.email or self.person.username

    @property
    def is_removed_by_scim(self) -> bool:
        row: ProvisionedPerson | None = getattr(self.person, "provisioned", None)
        return row is not None and row.deactivated_at is not None


def chips_of(grants: Iterable[Grant]) -> list[Chip]:
    """One for each role; the widest scopes first."""
    scopes: defaultdict[str, list[GrantScope]] = defaultdict(list)
    for grant in grants:
        scopes[str(grant.role)].append(GrantScope.of(grant))
    return [Chip(role, _joined(of_role)) for role, of_role in scopes.items()]


def _joined(scopes: Collection[GrantScope]) -> str:
    """`Tokyo, Tohoku +2`."""
    labels = sorted({scope.label for scope in scopes})
    if any(scope == GrantScope() for scope in scopes):
        return GrantScope().label
    shown = gettext(", ").join(labels[:MAX_SCOPES])
    return shown if len(labels) <= MAX_SCOPES else f"{shown} +{len(labels) - MAX_SCOPES}"


def person_rows(people: Collection[User], *, by: User, at: datetime) -> list[PersonRow]:
    """Rows of people, with the grants that lie within the scope of `by`."""
    chips = {pk: chips_of(grants) for pk, grants in grants_by_person(people, by=by).items()}
    sessions = sessions_of(people, at=at)
    ways = ways_of(people, at=at)
    return [
        PersonRow(
            person,
            name_of(person),
            chips.get(person.pk, [])[:MAX_CHIPS],
            max(0, len(chips.get(person.pk, [])) - MAX_CHIPS),
            ways[person.pk],
            sessions.get(person.pk, NONE).seen_at or person.last_login,
            sessions.get(person.pk, NONE).number,
        )
        for person in people
    ]


def grants_by_person(people: Collection[User], *, by: User) -> dict[int, list[Grant]]:
    """Their own grants and those of their teams, by person."""
    pks = {person.pk for person in people}
    found: defaultdict[int, list[Grant]] = defaultdict(list)
    for grant in known_grants(by).filter(person__in=pks):
        found[grant.person_id].append(grant)  # type: ignore[index]  # it has a person
    teams: defaultdict[int, list[int]] = defaultdict(list)
    for team, person in Team.members.through.objects.filter(user__in=pks).values_list("team", "user"):
        teams[team].append(person)
    for grant in known_grants(by).filter(team__in=teams):
        for pk in teams[grant.team_id]:  # type: ignore[index]  # it has a team
            found[pk].append(grant)
    return found


def known_grants(by: User) -> QuerySet[Grant]:
    """The grants that a person who manages people sees: those within their scope."""
    scope = access.scope_of(by, Permission.MANAGE_PEOPLE)
    rows = Grant.objects.filter(grants_within(scope)).order_by("role__name", "pk")
    return rows.select_related("role", "site", "group", "team", "created_by", "provider")


class GrantLine(NamedTuple):
    """A grant on the page of its holder."""

    role: str
    scope: str
    team: Team | None
    """The team through which a person holds it."""
    granted_by: str
    provider: str
    """The provider from whose groups it follows; empty if a person gave it."""
    created_at: datetime
    withdraw: str
    """Where it is withdrawn; empty if the reader may not, it is held through a team, or follows from groups."""


def grant_lines(grants: Iterable[Grant], *, of: User | Team, by: User) -> list[GrantLine]:
    return [_grant_line(grant, of, by) for grant in grants]


def _grant_line(grant: Grant, of: User | Team, by: User) -> GrantLine:
    is_of_team = isinstance(of, User) and grant.team is not None
    may_withdraw = not is_of_team and grant.provider is None and access.may_grant(by, grant.role, grant.scope)
    return GrantLine(
        str(grant.role),
        GrantScope.of(grant).label,
        grant.team if is_of_team else None,
        grant.created_by.display_name if grant.created_by else "",
        grant.provider.name if grant.provider else "",
        grant.created_at,
        reverse("withdraw-grant", args=(grant.pk,)) if may_withdraw else "",
    )


def grants_of_person(person: User) -> QuerySet[Grant]:
    """Their own, and those of their teams."""
    return Grant.objects.filter(Q(person=person) | Q(team__members=person)).distinct()
