"""Names of people on boards: short, but unique among the few people of a shift."""

from typing import NamedTuple

from django.db.models import QuerySet

from tms.accounts.models import User


class Name(NamedTuple):
    text: str
    mark: str
    """One or two characters for an avatar."""


def name_of(person: User) -> Name:
    """`K. Sato` and `KS`; for a Japanese name the family name, and its first character."""
    family, given = person.last_name.strip(), person.first_name.strip()
    if family and not family.isascii():
        return Name(family, family[0])
    if family and given:
        return Name(f"{given[0]}. {family}", f"{given[0]}{family[0]}".upper())
    return Name(family or given or person.username, person.initials)


def colleagues() -> QuerySet[User]:
    """The people who can be chosen by name: assigned an alert, put on call. Programs cannot."""
    return User.objects.filter(is_active=True, is_service=False)
