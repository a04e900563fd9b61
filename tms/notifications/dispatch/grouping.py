"""Grouping: notifications of one group key within the group wait go into one delivery."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.models import Incident
from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery, DeliveryItem, NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.subjects import Subject, column, severity_within, site_code_of

GROUP_WAIT_S = 5
"""Where no policy sets one."""


class Notification(NamedTuple):
    """One alert or incident for one destination."""

    subject: Subject
    policy: Policy | None
    """None: for one person, regardless of policies."""
    destination: Destination
    kind: NotificationKind
    source: str
    """The decision behind it, so that it is not made twice."""
    happened_at: datetime | None
    """Null if it was delayed by anything but the group wait."""
    step: int = 0

    @property
    def group_key(self) -> "GroupKey":
        site_code = site_code_of(self.subject) if self.policy is not None and self.policy.group_by_site else ""
        is_of_incidents = isinstance(self.subject, Incident)
        policy = self.policy.pk if self.policy else None
        return GroupKey(self.destination.pk, policy, self.step, self.kind, site_code, is_of_incidents)

    @property
    def group_wait_s(self) -> int:
        return self.policy.group_wait_s if self.policy else GROUP_WAIT_S

    @property
    def language(self) -> str:
        return (self.policy.language if self.policy else "") or self.destination.language

    def quiet_until(self, at: datetime) -> datetime | None:
        """End of the quiet hours of its destination, if they delay it."""
        if self.destination.hours is None:
            return None
        severity = severity_within(self.subject, self.destination.owner)
        return self.destination.quiet_until(severity, at=at)


class GroupKey(NamedTuple):
    """What the notifications of one delivery have in common: columns of Delivery."""

    destination_id: int
    policy_id: int | None
    step: int
    kind: str
    site_code: str
    is_of_incidents: bool


def group(notifications: Iterable[Notification], *, at: datetime) -> None:
    """Put each notification into a delivery within its group wait, or into a new one."""
    groups: dict[tuple[GroupKey, datetime | None], list[Notification]] = {}
    for notification in notifications:
        groups.setdefault((notification.group_key, notification.quiet_until(at)), []).append(notification)
    items: list[DeliveryItem] = []
    for (key, quiet_until), members in groups.items():
        delivery = _still_grouping(key, members, quiet_until, at) or _create(key, members, quiet_until, at)
        items += [DeliveryItem(delivery=delivery, **column(member.subject)) for member in members]
    DeliveryItem.objects.bulk_create(items, ignore_conflicts=True)


def _still_grouping(
    key: GroupKey, members: list[Notification], quiet_until: datetime | None, at: datetime
) -> Delivery | None:
    """Locked until it has its items: a worker that acquires it meanwhile waits, and then sees them."""
    grouping = Delivery.objects.select_for_update().still_grouping(at).filter(**key._asdict()).order_by("pk")
    if quiet_until is not None:
        return grouping.filter(due_at__gte=quiet_until).first()
    return grouping.filter(due_at__lte=at + timedelta(seconds=members[0].group_wait_s)).first()


def _create(key: GroupKey, members: list[Notification], quiet_until: datetime | None, at: datetime) -> Delivery:
    first = members[0]
    due_at = quiet_until or at + timedelta(seconds=first.group_wait_s)
    delivery, _ = Delivery.objects.get_or_create(
        key=f"{first.source}-{key.destination_id}",
        defaults={
            **key._asdict(),
            "language": first.language,
            "created_at": at,
            "due_at": due_at,
            "give_up_at": due_at + GIVE_UP_AFTER,
            "happened_at": None if quiet_until else _first([member.happened_at for member in members]),
        },
    )
    return delivery


def _first(instants: list[datetime | None]) -> datetime | None:
    prompt = [at for at in instants if at is not None]
    return min(prompt) if len(prompt) == len(instants) else None
