"""Rows of the list of past alerts."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from django.db.models import OuterRef, QuerySet, Subquery

from tms.accounts.display_names import Name, name_of
from tms.accounts.models import User
from tms.alerts.models import Alert, AlertState, Transition
from tms.boards.rows.common import SiteLabel
from tms.fleet.sites.names import Bilingual
from tms.lib.pagination import Column, Keyset, instant
from tms.lib.sort_order import SortOrder

NEWEST_FIRST = SortOrder("opened", is_descending=True)
FIRST_ACKNOWLEDGEMENT = Transition.objects.acknowledgements().filter(alert=OuterRef("pk")).order_by("at", "pk")
LAST_COMMENT = Transition.objects.with_comment().filter(alert=OuterRef("pk")).order_by("-at", "-pk")


def by_opening(order: SortOrder = NEWEST_FIRST) -> Keyset:
    return Keyset((Column("opened_at", instant, order.is_descending), Column("pk", int, order.is_descending)))


class PastRow(NamedTuple):
    pk: int
    opened_at: datetime
    resolved_at: datetime | None
    severity: str
    state: str
    suppressed: str
    uid: str
    label: str
    site_label: SiteLabel
    rule: Bilingual
    first_acknowledged_at: datetime | None
    first_acknowledged_by: Name | None
    comment: str

    @property
    def is_resolved(self) -> bool:
        return self.state == AlertState.RESOLVED

    @property
    def acknowledged_after_s(self) -> float | None:
        return (
            None
            if self.first_acknowledged_at is None
            else (self.first_acknowledged_at - self.opened_at).total_seconds()
        )

    @property
    def lasted_s(self) -> float | None:
        return None if self.resolved_at is None else (self.resolved_at - self.opened_at).total_seconds()


COLUMNS = (
    *("pk", "opened_at", "resolved_at", "severity", "state", "suppressed_at_open", "first_acknowledged_at"),
    *(f"terminal__{name}" for name in ("uid", "label", "site__code", "site__name", "site__name_ja")),
    *(f"rule__{name}" for name in ("name", "name_ja")),
)


def past_rows(pks: Collection[int]) -> list[PastRow]:
    """The rows in the order of `pks`, read in two queries."""
    rows = Alert.objects.filter(pk__in=pks).annotate(
        first_acknowledged_by=Subquery(FIRST_ACKNOWLEDGEMENT.values("by")[:1]),
        last_comment=Subquery(LAST_COMMENT.values("comment")[:1]),
    )
    found = _rows(rows)
    return [found[pk] for pk in pks if pk in found]


def _rows(rows: QuerySet[Alert]) -> dict[int, PastRow]:
    values = list(rows.values(*COLUMNS, "first_acknowledged_by", "last_comment"))
    names = _names({value["first_acknowledged_by"] for value in values})
    return {value["pk"]: _row(value, names) for value in values}


def _row(value: Mapping[str, Any], names: Mapping[int, Name]) -> PastRow:
    site = [value[f"terminal__site__{name}"] for name in ("code", "name", "name_ja")]
    return PastRow(
        value["pk"],
        value["opened_at"],
        value["resolved_at"],
        value["severity"],
        value["state"],
        value["suppressed_at_open"] or "",
        uid=value["terminal__uid"],
        label=value["terminal__label"],
        site_label=SiteLabel(site[0], Bilingual(*site[1:])),
        rule=Bilingual(value["rule__name"], value["rule__name_ja"]),
        first_acknowledged_at=value["first_acknowledged_at"],
        first_acknowledged_by=names.get(value["first_acknowledged_by"]),
        comment=value["last_comment"] or "",
    )


def _names(people: Iterable[int | None]) -> dict[int, Name]:
    return {person.pk: name_of(person) for person in User.objects.filter(pk__in=filter(None, people))}
