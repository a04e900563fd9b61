"""How many rows each choice of a filter would show, with all other filters applied.

One query for all choices, over the first `MAX_ALERTS` rows that match: its cost is bounded at any number of alerts.
"""

from collections.abc import Collection
from dataclasses import replace
from functools import reduce
from operator import and_

from django.db.models import Count, Q, QuerySet

from tms.accounts.scope import Scope
from tms.alerts.models import Alert, AlertState
from tms.alerts.models.alert import FLAPPING
from tms.boards.list_filters.filters import AlertFilter
from tms.lib.severity import Severity

MAX_ALERTS = 10_000
FLAGS = {
    "unacknowledged": Q(acknowledged_at=None),
    "stale": Q(state=AlertState.ACKNOWLEDGED, is_stale=True),
    "flapping": FLAPPING,
}
OF_SINGLE_ALERTS = frozenset({"stale", "flapping"})
"""They select alerts, also within incidents."""


def facets(
    chosen: AlertFilter, alerts: QuerySet[Alert], *, scope: Scope, among: Collection[int] | None
) -> tuple[dict[str, int], bool]:
    """Numbers by severity and flag, as the list would show them, an incident as one row; and whether there may be
    more.

    `alerts`: those of the list without a filter; `among`: the incidents that a scope covers, None for all.
    """
    without = replace(chosen, severity=(), unacknowledged=False, stale=False, flapping=False)
    matching = without.apply(alerts, scope=scope).order_by().values("pk")[:MAX_ALERTS]
    conditions = _conditions(chosen)
    numbers: dict[str, object] = {"read": Count("pk")}
    for name, choice in _choices().items():
        others = [condition for key, condition in conditions.items() if key != name and (key, name) not in OF_ONE_GROUP]
        wanted = reduce(and_, others, choice)
        rows = Q(pk__isnull=True) if _counts_alerts(name, chosen) else _in_incident(among)
        numbers[f"{name}_rows"] = Count("pk", filter=wanted & ~rows)
        numbers[f"{name}_incidents"] = Count("incident", distinct=True, filter=wanted & rows)
    found = Alert.objects.filter(pk__in=matching).aggregate(**numbers)
    shown = {name: found[f"{name}_rows"] + found[f"{name}_incidents"] for name in _choices()}
    return shown, found["read"] >= MAX_ALERTS


def _choices() -> dict[str, Q]:
    return {name: Q(severity=name) for name in Severity.values} | FLAGS


OF_ONE_GROUP = frozenset(("severity", name) for name in Severity.values)
"""Choices beside a chosen one, of which any may match."""


def _conditions(chosen: AlertFilter) -> dict[str, Q]:
    """The conditions of the choices that are made."""
    found = {name: condition for name, condition in FLAGS.items() if getattr(chosen, name)}
    return found | ({"severity": Q(severity__in=chosen.severity)} if chosen.severity else {})


def _counts_alerts(name: str, chosen: AlertFilter) -> bool:
    return name in OF_SINGLE_ALERTS or not chosen.may_correlate


def _in_incident(among: Collection[int] | None) -> Q:
    return Q(incident__isnull=False) if among is None else Q(incident__in=among)
