"""Common factors of unresolved alerts, and who acknowledged them, from the census."""

from collections import Counter
from typing import Any, NamedTuple

from tms.accounts.access import within
from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.accounts.scope import Scope
from tms.alerts.models import Rule
from tms.boards.caches.census import Census
from tms.fleet.models import Site
from tms.fleet.sites.names import Bilingual

MIN_SHARED = 2
"""A single alert has nothing in common."""


class CommonFactorRow(NamedTuple):
    factor: str
    name: Bilingual
    number: int
    total: int

    @property
    def percent(self) -> int:
        return round(100 * self.number / self.total)


class ActingPerson(NamedTuple):
    pk: int
    name: Name
    number: int


def common_factors(census: Census, *, scope: Scope) -> tuple[CommonFactorRow, ...]:
    """The most frequent value of each factor, most common first."""
    found = ((factor, _most_common(numbers)) for factor, numbers in census.factors.items())
    named = ((factor, _name(factor, most[0], scope), most[1]) for factor, most in found if most)
    shared = [CommonFactorRow(factor, name, number, census.unresolved) for factor, name, number in named if name]
    return tuple(sorted(shared, key=lambda share: -share.number))


def acting_people(census: Census) -> tuple[ActingPerson, ...]:
    """Who acknowledged how many of them."""
    people = User.objects.in_bulk(census.acknowledged_by)
    found = [
        ActingPerson(pk, name_of(people[pk]), number) for pk, number in census.acknowledged_by.items() if pk in people
    ]
    return tuple(sorted(found, key=lambda person: (-person.number, person.pk)))


def _most_common(numbers: Counter[Any]) -> tuple[Any, int] | None:
    common = [(number, value) for value, number in numbers.items() if value and number >= MIN_SHARED]
    number, value = max(common, default=(0, None))
    return (value, number) if number else None


def _name(factor: str, value: Any, scope: Scope) -> Bilingual | None:
    if factor not in ("site", "rule"):
        return Bilingual(value, "")
    rows = within(Site.objects.all(), scope) if factor == "site" else Rule.objects.all()
    names = rows.filter(pk=value).values_list("name", "name_ja").first()
    return Bilingual(*names) if names else None
