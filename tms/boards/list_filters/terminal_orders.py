"""Orders of the list of terminals, each by one column and then by UID.

Only the order by UID has an index. Any other reads all terminals that match the filter.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Any, NamedTuple

from django.db.models import Case, FloatField, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Collate

from tms.alerts.models import Alert
from tms.boards.rows.terminals import COLUMNS
from tms.fleet.models import BY_URGENCY, Status, Terminal
from tms.lib.db.natural_order import NATURAL, natural
from tms.lib.pagination import Column, Keyset, instant
from tms.lib.severity import Severity
from tms.lib.sort_order import SortOrder

BY_UID = SortOrder("uid")
NATURAL_UID = Column("natural_uid")
SORTED_ROWS = 2_000
"""So many are found first and sorted then. For more, the index of the order soon finds a page of them; for fewer,
PostgreSQL expects that, too, and reads the whole index.
"""
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


class TerminalSortKey(NamedTuple):
    expression: Callable[[bool], Combinable]
    """What to sort a terminal by; the argument is whether the order is descending."""
    parse: Callable[[str], Any] = str
    descends_first: bool = False
    """Whether a click on the header first chooses the descending order: the worst or the highest at the top."""


def _of_text(name: str) -> TerminalSortKey:
    return TerminalSortKey(lambda _: natural(name))


def _of_rank(conditions: Callable[[], Sequence[Q]]) -> TerminalSortKey:
    """A sort key by the first of the conditions that a terminal meets; the first one ranks highest."""

    def rank(_: bool) -> Combinable:
        found = conditions()
        return Case(*(When(each, then=Value(len(found) - at)) for at, each in enumerate(found)), default=Value(0))

    return TerminalSortKey(rank, int, descends_first=True)


def _of_reading(metric: str) -> TerminalSortKey:
    """Terminals without the reading come last."""
    value = Cast(KeyTextTransform(metric, "state__metrics"), FloatField())
    return TerminalSortKey(
        lambda is_descending: Coalesce(value, Value(-inf if is_descending else inf), output_field=FloatField()),
        float,
        descends_first=True,
    )


def _by_presence() -> Sequence[Q]:
    return [Q(state__presence=presence) for presence in BY_URGENCY]


def _by_status() -> Sequence[Q]:
    return [Q(state__status=status) for status in (Status.FAULT, Status.DEGRADED, Status.OK)]


def _by_severity() -> Sequence[Q]:
    """Conditions on the severity of the terminals' unresolved alerts (index: alert_unresolved)."""
    unresolved = Alert.objects.unresolved().order_by()
    return [Q(pk__in=unresolved.filter(severity=severity).values("terminal")) for severity in Severity]


SORT_KEYS: Mapping[str, TerminalSortKey] = {
    "uid": _of_text("uid"),
    "presence": _of_rank(_by_presence),
    "status": _of_rank(_by_status),
    "severity": _of_rank(_by_severity),
    "site": _of_text("site__name"),
    "label": _of_text("label"),
    "model": _of_text("model"),
    "firmware": _of_text("firmware"),
    "seen": TerminalSortKey(lambda _: Coalesce("state__last_seen_at", Value(BEFORE_ALL)), instant),
    **{metric: _of_reading(metric) for metric in COLUMNS},
}
"""Sort keys by column, in the order of the table."""


def ordered(terminals: QuerySet[Terminal], order: SortOrder, *, number: float) -> tuple[QuerySet[Terminal], Keyset]:
    """The terminals with the columns of their order, and the order. `number`: at least how many there are."""
    if number <= SORTED_ROWS:
        # The limit is never reached, but nothing of the outer query moves into one that has a limit.
        found = terminals.order_by().values("pk")[: 2 * SORTED_ROWS]
        terminals = Terminal.objects.filter(pk__in=found).annotate(
            natural_uid=Collate(Coalesce("uid", Value("")), NATURAL)
        )
    else:
        terminals = terminals.annotate(natural_uid=natural("uid"))
    if order.column == BY_UID.column:
        return terminals, Keyset((NATURAL_UID._replace(is_descending=order.is_descending),))
    key = SORT_KEYS[order.column]
    column = Column("sort_key", key.parse, order.is_descending)
    return terminals.annotate(sort_key=key.expression(order.is_descending)), Keyset((column, NATURAL_UID))
