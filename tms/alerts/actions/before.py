"""How alerts and incidents were acknowledged or snoozed before an action, and how its undo restores that."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple, Self

from django.utils.dateparse import parse_datetime

from tms.accounts.models import User
from tms.alerts import lifecycle
from tms.alerts.models import Alert, AlertQuerySet, AlertState, Contract, Incident

COLUMNS = ("pk", "state", "acknowledged_by", "contract", "until", "comment")


class Before(NamedTuple):
    """The state of an alert or incident, as JSON."""

    state: str
    by: int | None = None
    """The person responsible, or who snoozed the incident; an alert does not name who snoozed it."""
    contract: str = ""
    until: str = ""
    comment: str = ""

    @classmethod
    def of(cls, state: str, by: int | None, contract: str, until: datetime | None, comment: str) -> Self:
        if state == AlertState.OPEN:
            return cls(state)
        return cls(state, by, contract, until.isoformat() if until else "", comment)

    @classmethod
    def of_incident(cls, row: Incident) -> Self:
        return cls.of(row.shown_state.value, row.acknowledged_by_id, row.contract, row.until, row.comment)

    @property
    def is_open(self) -> bool:
        return self.state == AlertState.OPEN

    @property
    def is_snoozed(self) -> bool:
        return self.state == AlertState.SNOOZED

    @property
    def ends_at(self) -> datetime | None:
        return parse_datetime(self.until) if self.until else None

    def is_over(self, at: datetime) -> bool:
        return self.ends_at is not None and self.ends_at <= at

    @property
    def person(self) -> User | None:
        """The person; None for one who may not sign in any more."""
        return User.objects.filter(pk=self.by or 0, is_active=True).first()


type Groups = Sequence[tuple[Before, Sequence[int]]]
"""Keys of alerts, by their state."""


def grouped(alerts: AlertQuerySet, *, most: int) -> Groups | None:
    """The rows in groups of equal values; None if there are more than `most`."""
    rows = list(alerts.order_by("pk").values_list(*COLUMNS)[: most + 1])
    if len(rows) > most:
        return None
    found: dict[Before, list[int]] = {}
    for pk, *columns in rows:
        found.setdefault(Before.of(*columns), []).append(pk)
    return list(found.items())


def restore(groups: Groups, among: Collection[int], *, by: User, at: datetime) -> None:
    """Acknowledge or snooze those of `among` again that are open, unless the time is up. `by` undoes the action."""
    for before, pks in groups:
        alerts = Alert.objects.unacknowledged().filter(pk__in=set(pks).intersection(among))
        if before.is_snoozed and before.ends_at is not None and not before.is_over(at):
            lifecycle.snooze(alerts, until=before.ends_at, by=by, comment="", at=at)
        elif before.state == AlertState.ACKNOWLEDGED and not before.is_over(at) and (person := before.person):
            lifecycle.acknowledge(
                alerts,
                by=person,
                comment=before.comment,
                at=at,
                contract=Contract(before.contract),
                until=before.ends_at,
            )
