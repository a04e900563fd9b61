"""How many members a group had in the last 30 days, from the history of identity."""

from collections import Counter
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

from django.db.models import QuerySet

from tms.fleet.models import Group, IdentityChange, IdentityField, Terminal
from tms.lib.sparklines import Spark, spark

DAY = timedelta(days=1)
DAYS = 30
MAX_CHANGES = 20_000
"""Changes that are read: the newest ones. What was before them is not drawn."""


class MembersChart(NamedTuple):
    since: datetime
    first: int
    last: int
    spark: Spark


def members_chart(group: Group, terminals: QuerySet[Terminal], *, at: datetime) -> MembersChart:
    """A value for each day, the last one now. `terminals`: those that the reader sees."""
    last = terminals.filter(groups=group).count()
    seen = IdentityChange.objects.filter(terminal__in=terminals.order_by().values("pk"), at__gt=at - DAYS * DAY)
    newest = seen.filter(field=IdentityField.GROUPS).order_by("-at", "-pk")
    changes = list(newest.values_list("at", "before", "after")[:MAX_CHANGES])
    left: Counter[int] = Counter()
    for changed_at, before, after in changes:
        left[(at - changed_at) // DAY] += _has(before, group) - _has(after, group)
    ages = DAYS if len(changes) < MAX_CHANGES else (at - changes[-1][0]) // DAY
    numbers = list(accumulate((left[age] for age in range(ages)), initial=last))[::-1]
    return MembersChart(at - ages * DAY, numbers[0], last, spark(numbers))


def _has(groups: list[list[Any]], group: Group) -> bool:
    return any(pk == group.pk for pk, _ in groups)
