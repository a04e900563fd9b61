"""What the unresolved alerts have in common, and who is on them."""

from collections import Counter
from typing import NamedTuple

from django.db.models import Count

from tms.accounts.access import Person, visible
from tms.accounts.models import User
from tms.accounts.names import Name, name_of
from tms.alerts.models import Alert
from tms.boards.rows import Bilingual

COLUMNS = ("terminal__site__name", "terminal__site__name_ja", "rule__name", "rule__name_ja")
PLAIN = {"model": "terminal__model", "firmware": "terminal__firmware"}
LEAST = 2
"""One alert shares nothing with anybody."""


class Share(NamedTuple):
    factor: str
    name: Bilingual
    number: int
    total: int

    @property
    def percent(self) -> int:
        return round(100 * self.number / self.total)


class Holder(NamedTuple):
    name: Name
    number: int


def shares(*, to: Person, total: int) -> tuple[Share, ...]:
    """For each factor the value that most of them have, the most common first; one query for all factors."""
    if total < LEAST:
        return ()
    counted: dict[str, Counter[Bilingual]] = {factor: Counter() for factor in ("site", "rule", *PLAIN)}
    alerts = visible(Alert.objects.unresolved(), to=to).values_list(*COLUMNS, *PLAIN.values())
    for site, site_ja, rule, rule_ja, *plain, number in alerts.annotate(n=Count("pk")):
        counted["site"][Bilingual(site, site_ja)] += number
        counted["rule"][Bilingual(rule, rule_ja)] += number
        for factor, name in zip(PLAIN, plain, strict=True):
            counted[factor][Bilingual(name, "")] += number
    found = [share for factor, numbers in counted.items() if (share := _most_common(factor, numbers, total))]
    return tuple(sorted(found, key=lambda share: -share.number))


def holders(*, to: Person) -> tuple[Holder, ...]:
    """Who acknowledged how many of them."""
    held = visible(Alert.objects.unresolved(), to=to).exclude(acknowledged_by=None)
    numbers = dict(held.values_list("acknowledged_by").annotate(n=Count("pk")).order_by("-n"))
    people = User.objects.in_bulk(numbers)
    return tuple(Holder(name_of(people[pk]), number) for pk, number in numbers.items() if pk in people)


def _most_common(factor: str, numbers: Counter[Bilingual], total: int) -> Share | None:
    named = sorted((-number, name) for name, number in numbers.items() if name.en and number >= LEAST)
    return Share(factor, named[0][1], -named[0][0], total) if named else None
