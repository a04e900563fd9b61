"""What an action for many alerts is for."""

from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from typing import NamedTuple, Self
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import QueryDict
from django.utils import timezone

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.alerts.models import Alert, AlertQuerySet, AlertState
from tms.boards.formatting import instants
from tms.boards.lists.filters import PRIMARY_KEY, AlertFilter


class BulkOutcome(NamedTuple):
    """What has become of the alerts that were chosen: the same for whoever asks twice."""

    mine: int
    theirs: int
    """Somebody else was first."""
    over: int
    """The recovery was first."""
    left: int
    """Still open: another transaction had them in its hands."""

    @property
    def missed(self) -> int:
        return self.theirs + self.over + self.left

    @property
    def asked(self) -> int:
        return self.mine + self.missed


@dataclass(frozen=True, slots=True)
class AlertSelection:
    """The alerts that were ticked, or all that a filter matched when the question was asked: none that came later."""

    pks: tuple[int, ...]
    matching: AlertFilter
    is_all: bool
    seen_at: datetime
    is_snoozed: bool = False
    """Of all that match: those that were put off, and not those that were not."""

    @classmethod
    def of(cls, query: QueryDict) -> Self:
        now = timezone.now()
        return cls(
            pks=tuple(sorted({int(pk) for pk in query.getlist("alert") if PRIMARY_KEY.fullmatch(pk)})),
            matching=AlertFilter.of(query),
            is_all=query.get("all") == "1",
            seen_at=min(instants.parsed(query.get("seen_at", "")) or now, now),
            is_snoozed=query.get("state") == AlertState.SNOOZED,
        )

    @property
    def is_nothing(self) -> bool:
        return not self.is_all and not self.pks

    @property
    def number(self) -> int:
        """How many were ticked."""
        return 0 if self.is_all else len(self.pks)

    @property
    def fields(self) -> list[tuple[str, str]]:
        """As a form carries it on."""
        if self.is_all:
            return [("all", "1"), ("seen_at", self.seen_at.isoformat()), *self.marks]
        return [*(("alert", str(pk)) for pk in self.pks), *self.marks]

    @property
    def marks(self) -> list[tuple[str, str]]:
        """The list that they were chosen from."""
        return [*([("state", AlertState.SNOOZED.value)] if self.is_snoozed else []), *self.matching.marks]

    @property
    def query(self) -> str:
        """As it stands in an address."""
        return urlencode(self.fields)

    def every(self) -> Self:
        """All that match instead of those that were ticked."""
        return replace(self, is_all=True, pks=())

    def alerts(self, *, to: User) -> AlertQuerySet:
        """Those of them that are not over."""
        if not self.is_all:
            return self._ticked(visible(Alert.objects.unresolved(), to=to))
        listed = Alert.objects.snoozed() if self.is_snoozed else Alert.objects.awake()
        return self.matching.apply(self._seen(visible(listed, to=to)))

    def severities(self, *, to: User) -> Counter[str]:
        """Of those that nobody has."""
        groups = self.alerts(to=to).filter(acknowledged_at=None).values_list("severity").annotate(number=Count("pk"))
        return Counter(dict(groups))

    def outcome(self, *, by: User) -> BulkOutcome:
        standing = self._asked(visible(Alert.objects.unresolved(), to=by))
        numbers = standing.aggregate(
            mine=Count("pk", filter=Q(acknowledged_by=by)),
            theirs=Count("pk", filter=Q(state=AlertState.ACKNOWLEDGED) & ~Q(acknowledged_by=by)),
            left=Count("pk", filter=Q(state=AlertState.OPEN)),
        )
        over = visible(Alert.objects.filter(state=AlertState.RESOLVED), to=by)
        if self.is_all:
            over = over.filter(resolved_at__gte=self.seen_at)  # (index: alert_resolved)
        return BulkOutcome(over=self._asked(over).count(), **numbers)

    def _asked(self, alerts: AlertQuerySet) -> AlertQuerySet:
        """Those among `alerts` that were ticked, or that nobody had when the question was asked."""
        if not self.is_all:
            return self._ticked(alerts)
        had_nobody = Q(acknowledged_at=None) | Q(acknowledged_at__gte=self.seen_at)
        return replace(self.matching, nobody=False).apply(self._seen(alerts).filter(had_nobody))

    def _ticked(self, alerts: AlertQuerySet) -> AlertQuerySet:
        return alerts.filter(pk__in=self.pks)

    def _seen(self, alerts: AlertQuerySet) -> AlertQuerySet:
        return alerts.filter(opened_at__lte=self.seen_at)
