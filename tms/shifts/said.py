"""What people did to alerts, and said of them. What was done to many at once is one line."""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from tms.accounts.names import Name, name_of
from tms.alerts.models import Alert, Transition, TransitionKind

MOST_READ = 5_000
TOLD = (
    TransitionKind.ACKNOWLEDGED,
    TransitionKind.CHANGED,
    TransitionKind.WITHDRAWN,
    TransitionKind.SNOOZED,
    TransitionKind.ASSIGNED,
    TransitionKind.COMMENTED,
    TransitionKind.RESOLVED,
)


class Deed(NamedTuple):
    at: datetime
    kind: str
    by: Name
    to: Name | None
    comment: str
    alert: int
    """The first of them."""
    place: str
    rule: str
    uid: str
    number: int = 1

    @property
    def others(self) -> int:
        return self.number - 1

    @property
    def label(self) -> str:
        return str(TransitionKind(self.kind).label)


def deeds(alerts: QuerySet[Alert], since: datetime, until: datetime) -> list[Deed]:
    """In their order (index: transition_at)."""
    rows = Transition.objects.filter(at__gte=since, at__lt=until, by__isnull=False, kind__in=TOLD, alert__in=alerts)
    steps = rows.select_related("by", "to", "alert__rule", "alert__terminal__site").order_by("at", "pk")[:MOST_READ]
    return _together(_deed(step) for step in steps)


def _deed(step: Transition) -> Deed:
    assert step.by is not None
    alert = step.alert
    return Deed(
        step.at.replace(microsecond=0),
        step.kind,
        name_of(step.by),
        name_of(step.to) if step.to else None,
        step.comment,
        alert.pk,
        alert.terminal.site.local_name,
        alert.rule.local_name,
        alert.terminal.uid,
    )


def _together(found: Iterable[Deed]) -> list[Deed]:
    lines: dict[tuple[object, ...], Deed] = {}
    for deed in found:
        same = (deed.at, deed.kind, deed.by, deed.to, deed.comment)
        known = lines.get(same)
        lines[same] = deed if known is None else known._replace(number=known.number + 1)
    return list(lines.values())
