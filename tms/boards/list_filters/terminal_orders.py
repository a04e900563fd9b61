"""Orders of the list of terminals, each by one column and then by UID.

Only the order by UID has an index. Any other reads all terminals that match the filter.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from math import inf
from typing import Any, NamedTuple

from django.db.models import Case, DateField, FloatField, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Coalesce, Collate
from django.http import QueryDict

from tms.alerts.models import Alert
from tms.boards.columns.terminals import ATTRIBUTE, TerminalColumn
from tms.boards.rows.terminals import COLUMNS
from tms.fleet.models import (
    BY_URGENCY,
    Attribute,
    AttributeSubject,
    AttributeType,
    DeviceAttribute,
    Lifecycle,
    SiteAttribute,
    Status,
    Terminal,
    TerminalAttribute,
)
from tms.lib.db.natural_order import NATURAL, natural
from tms.lib.db.version_order import VersionKey
from tms.lib.pagination import Column, Keyset, instant
from tms.lib.severity import Severity
from tms.lib.sort_order import SortOrder

BY_UID = SortOrder("uid")
NATURAL_UID = Column("natural_uid")
SORTED_ROWS = 2_000
"""So many are found first and sorted then. For more, the index of the order soon finds a page of them; for fewer,
PostgreSQL expects that, too, and reads the whole index.
"""
MAX_COLUMN_CHARACTERS = 40
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)


class TerminalSortKey(NamedTuple):
    expression: Callable[[bool], Combinable]
    """What to sort a terminal by; the argument is whether the order is descending."""
    parse: Callable[[str], Any] = str
    descends_first: bool = False
    """Whether a click on the header first chooses the descending order: the worst or the highest at the top."""


def _of_text(name: str) -> TerminalSortKey:
    return TerminalSortKey(lambda _: natural(name))


def _of_version(name: str) -> TerminalSortKey:
    return TerminalSortKey(lambda _: VersionKey(name))


def _of_address(_: bool) -> Combinable:
    return Collate(Coalesce(Cast("address", TextField()), Value(""), output_field=TextField()), NATURAL)


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


def _by_lifecycle() -> Sequence[Q]:
    return [Q(lifecycle=state) for state in Lifecycle]


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
    "firmware": _of_version("firmware"),
    "seen": TerminalSortKey(lambda _: Coalesce("state__last_seen_at", Value(BEFORE_ALL)), instant),
    **{metric: _of_reading(metric) for metric in COLUMNS},
    "kind": _of_text("kind"),
    "lifecycle": _of_rank(_by_lifecycle),
    "serial": _of_text("serial"),
    "address": TerminalSortKey(_of_address),
    "agent": _of_version("agent"),
}
"""Sort keys by column, but those of attributes."""
SUBJECTS: Mapping[str, tuple[Any, Mapping[str, object]]] = {
    AttributeSubject.TERMINAL: (TerminalAttribute, {"terminal": OuterRef("pk")}),
    AttributeSubject.SITE: (SiteAttribute, {"site": OuterRef("site")}),
    AttributeSubject.DEVICE: (
        DeviceAttribute,
        {"device__placements__terminal": OuterRef("pk"), "device__placements__ended_at": None},
    ),
}
"""The values of attributes by their subject, and which of them are about a terminal."""
NO_DAY = (date(1, 1, 1), date(9999, 12, 31))


def sort_key_of(column: str) -> TerminalSortKey | None:
    """The sort key of a column; None if it has none. An attribute's depends on its definition, which is read."""
    if not column.startswith(ATTRIBUTE):
        return SORT_KEYS.get(column)
    attribute = Attribute.objects.filter(name=column.removeprefix(ATTRIBUTE)).first()
    return _of_attribute(attribute) if attribute else None


def first_orders(columns: Iterable[TerminalColumn]) -> dict[str, bool]:
    """The columns that sort the list, and whether a click on the header first chooses the descending order."""
    attributes = {column.name: column.is_number for column in columns if column.name.startswith(ATTRIBUTE)}
    return {name: key.descends_first for name, key in SORT_KEYS.items()} | attributes


def _of_attribute(attribute: Attribute) -> TerminalSortKey:
    """Terminals without the value come last, of texts first."""
    model, about = SUBJECTS[attribute.subject]
    values = model.objects.filter(attribute=attribute, **about)
    match attribute.type:
        case AttributeType.NUMBER:
            number = Subquery(values.values("number")[:1])
            return TerminalSortKey(
                lambda is_descending: Coalesce(
                    number, Value(-inf if is_descending else inf), output_field=FloatField()
                ),
                float,
                descends_first=True,
            )
        case AttributeType.DAY:
            day = Subquery(values.values("day")[:1])
            return TerminalSortKey(
                lambda is_descending: Coalesce(day, Value(NO_DAY[not is_descending]), output_field=DateField()),
                date.fromisoformat,
            )
    text = Subquery(values.values("text")[:1])
    return TerminalSortKey(lambda _: Collate(Coalesce(text, Value("")), NATURAL))


def order_of(query: QueryDict) -> SortOrder:
    """The order that a URL names; by UID if it names none."""
    column = query.get("order", "").removeprefix("-")[:MAX_COLUMN_CHARACTERS]
    return SortOrder.of(query, [column] if sort_key_of(column) else (), default=BY_UID)


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
    key = sort_key_of(order.column)
    assert key is not None  # the order was checked
    column = Column("sort_key", key.parse, order.is_descending)
    return terminals.annotate(sort_key=key.expression(order.is_descending)), Keyset((column, NATURAL_UID))
