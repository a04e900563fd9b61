"""The alerts of a bulk action."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Self
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils import timezone

from tms.accounts.access import scope_of, visible
from tms.accounts.models import User
from tms.alerts.models import Alert, AlertQuerySet, AlertState
from tms.boards.formatting import instants
from tms.boards.list_filters.filters import PRIMARY_KEY, AlertFilter


class BulkOutcome(NamedTuple):
    """Result of an action on the selected alerts. For an exclusive action, a repeated request gives the same."""

    changed: int
    theirs: int = 0
    """Another person was first."""
    resolved: int = 0
    """The alert was resolved first."""
    locked: int = 0
    """Another transaction was changing them."""


@dataclass(frozen=True, slots=True)
class AlertSelection:
    """Alerts selected one by one, or all that matched a filter when the dialog opened, but none that opened later."""

    pks: tuple[int, ...]
    matching: AlertFilter
    is_all: bool
    seen_at: datetime
    is_snoozed: bool = False
    """Whether the selection covers snoozed alerts only; otherwise it covers none of them."""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        now = timezone.now()
        return cls(
            pks=tuple(sorted({int(pk) for pk in query.getlist("alert") if PRIMARY_KEY.fullmatch(pk)})),
            matching=AlertFilter.of(query),
            is_all=query.get("all") == "1",
            seen_at=min(instants.parse(query.get("seen_at", "")) or now, now),
            is_snoozed=query.get("state") == AlertState.SNOOZED,
        )

    @property
    def is_nothing(self) -> bool:
        return not self.is_all and not self.pks

    @property
    def number(self) -> int:
        """Number of alerts selected one by one."""
        return 0 if self.is_all else len(self.pks)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The selection as hidden fields of a form."""
        if self.is_all:
            return [("all", "1"), ("seen_at", self.seen_at.isoformat()), *self.marks]
        return [*(("alert", str(pk)) for pk in self.pks), *self.marks]

    @property
    def marks(self) -> list[tuple[str, str]]:
        """The filter of the list in which they were selected."""
        return [*([("state", AlertState.SNOOZED.value)] if self.is_snoozed else []), *self.matching.marks]

    @property
    def query(self) -> str:
        """The selection as a query string."""
        return urlencode(self.fields)

    def every(self) -> Self:
        """All that match, instead of the selected ones."""
        return replace(self, is_all=True, pks=())

    def alerts(self, *, to: User) -> AlertQuerySet:
        """The alerts of the selection that are unresolved."""
        if not self.is_all:
            return self._selected(visible(Alert.objects.unresolved(), to=to))
        listed = Alert.objects.snoozed() if self.is_snoozed else Alert.objects.awake()
        return self.matching.apply(self._seen(visible(listed, to=to)), scope=scope_of(to))

    @staticmethod
    def severities(alerts: AlertQuerySet) -> Counter[str]:
        return Counter(dict(alerts.order_by().values_list("severity").annotate(number=Count("pk"))))

    def outcome(self, *, by: User) -> BulkOutcome:
        """What has become of the selected alerts by now, from the database."""
        unresolved = self._covered(visible(Alert.objects.unresolved(), to=by), by)
        numbers = unresolved.aggregate(
            changed=Count("pk", filter=Q(acknowledged_by=by)),
            theirs=Count("pk", filter=Q(state=AlertState.ACKNOWLEDGED) & ~Q(acknowledged_by=by)),
            locked=Count("pk", filter=Q(state=AlertState.OPEN)),
        )
        resolved = visible(Alert.objects.filter(state=AlertState.RESOLVED), to=by)
        if self.is_all:
            resolved = resolved.filter(resolved_at__gte=self.seen_at)  # (index: alert_resolved)
        return BulkOutcome(resolved=self._covered(resolved, by).count(), **numbers)

    def _covered(self, alerts: AlertQuerySet, by: User) -> AlertQuerySet:
        """The selected `alerts`, or those that were unacknowledged when the dialog opened."""
        if not self.is_all:
            return self._selected(alerts)
        was_unacknowledged = Q(acknowledged_at=None) | Q(acknowledged_at__gte=self.seen_at)
        matching = replace(self.matching, unacknowledged=False)
        return matching.apply(self._seen(alerts).filter(was_unacknowledged), scope=scope_of(by))

    def _selected(self, alerts: AlertQuerySet) -> AlertQuerySet:
        return alerts.filter(pk__in=self.pks)

    def _seen(self, alerts: AlertQuerySet) -> AlertQuerySet:
        return alerts.filter(opened_at__lte=self.seen_at)
