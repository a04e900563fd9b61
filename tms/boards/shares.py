"""What the unresolved alerts have in common, and who is on them."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from django.db.models import Count, QuerySet

from tms.accounts.access import Person, visible
from tms.accounts.models import User
from tms.accounts.names import Name, name_of
from tms.alerts.models import Alert
from tms.boards.rows import Bilingual

FACTORS: Mapping[str, tuple[str, ...]] = {
    "site": ("terminal__site__name", "terminal__site__name_ja"),
    "rule": ("rule__name", "rule__name_ja"),
    "model": ("terminal__model",),
    "firmware": ("terminal__firmware",),
}
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
    """For each factor the value that most of them have, the most common first."""
    if total < LEAST:
        return ()
    alerts = visible(Alert.objects.unresolved(), to=to)
    found = [share for factor, columns in FACTORS.items() if (share := _most_common(alerts, factor, columns, total))]
    return tuple(sorted(found, key=lambda share: -share.number))


def holders(*, to: Person) -> tuple[Holder, ...]:
    """Who acknowledged how many of them."""
    held = visible(Alert.objects.unresolved(), to=to).exclude(acknowledged_by=None)
    numbers = dict(held.values_list("acknowledged_by").annotate(n=Count("pk")).order_by("-n"))
    people = User.objects.in_bulk(numbers)
    return tuple(Holder(name_of(people[pk]), number) for pk, number in numbers.items() if pk in people)


def _most_common(alerts: QuerySet[Alert], factor: str, columns: tuple[str, ...], total: int) -> Share | None:
    rows = alerts.exclude(**{columns[0]: ""}).values_list(*columns).annotate(n=Count("pk")).order_by("-n", *columns)
    row: tuple[Any, ...] | None = rows.first()
    if row is None or row[-1] < LEAST:
        return None
    return Share(factor, Bilingual(row[0], row[1] if len(columns) > 1 else ""), row[-1], total)
