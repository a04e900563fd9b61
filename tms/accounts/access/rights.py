"""What a person may do, and where: the union of their grants and those of their teams."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.auth.models import AnonymousUser

from tms.accounts.models import Grant, User
from tms.accounts.permissions import Permission
from tms.accounts.scope import EVERYTHING, NOTHING, Scope

type Person = User | AnonymousUser

COLUMNS = ("role__permissions", "region", "site", "group")


@dataclass(frozen=True, slots=True)
class Rights:
    """Where each permission applies, and `visible`: what all grants cover together."""

    scopes: Mapping[Permission, Scope]
    visible: Scope

    def scope(self, permission: Permission) -> Scope:
        return self.scopes.get(permission, NOTHING)

    @property
    def key(self) -> str:
        """Canonical text, equal for equal rights: people with equal keys see and may do the same."""
        by_key = {permission.key: scope.key for permission, scope in self.scopes.items() if scope}
        return json.dumps([self.visible.key, by_key], sort_keys=True, separators=(",", ":"))


NO_RIGHTS = Rights({}, NOTHING)
ALL_RIGHTS = Rights(dict.fromkeys(Permission, EVERYTHING), EVERYTHING)


class GrantRow(NamedTuple):
    permissions: Collection[str]
    region: str
    site: int | None
    group: int | None


def rights_of(person: Person) -> Rights:
    """One query at most, once for each person object."""
    known: Rights | None = getattr(person, "_rights", None)
    if known is None:
        known = _rights_without_grants(person) or next(iter(rights_of_people([person]).values()))
        person._rights = known  # type: ignore[union-attr]  # kept as Django keeps its permissions
    return known


def rights_of_people(people: Collection[Person]) -> dict[int | None, Rights]:
    """The rights of each person, read now, with one query for all."""
    fixed = {person.pk: _rights_without_grants(person) for person in people}
    granted = _grants_by_person([pk for pk, rights in fixed.items() if pk is not None and rights is None])
    return {pk: rights or _combine(granted[pk]) for pk, rights in fixed.items()}


def _rights_without_grants(person: Person) -> Rights | None:
    """Rights that depend on no grant."""
    if not (person.is_authenticated and person.is_active):
        return NO_RIGHTS
    return ALL_RIGHTS if person.is_superuser else None


def _grants_by_person(pks: Collection[int]) -> Mapping[int | None, list[GrantRow]]:
    found: defaultdict[int | None, list[GrantRow]] = defaultdict(list)
    if pks:
        for pk, *columns in _rows(pks):
            found[pk].append(GrantRow(*columns))
    return found


def _rows(pks: Collection[int]) -> Iterator[Any]:
    own = Grant.objects.filter(person__in=pks).values_list("person", *COLUMNS)
    of_teams = Grant.objects.filter(team__members__in=pks).values_list("team__members", *COLUMNS)
    return iter(own.union(of_teams, all=True))


def _combine(grants: Collection[GrantRow]) -> Rights:
    scopes: defaultdict[Permission, Scope] = defaultdict(lambda: NOTHING)
    visible = NOTHING
    for grant in grants:
        scope = Scope.of(grant.region, grant.site, grant.group)
        visible |= scope
        for permission in Permission:
            if permission.key in grant.permissions:
                scopes[permission] |= scope
    return Rights(dict(scopes), visible)
