"""Grouping: notifications of one group key within the group wait go into one delivery."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery, DeliveryItem
from tms.notifications.policies.notification import GroupKey, Notification
from tms.notifications.subjects import column


def group(notifications: Iterable[Notification], *, at: datetime) -> None:
    """Put each notification into a delivery within its group wait, or into a new one."""
    groups: dict[tuple[GroupKey, datetime | None, str], list[Notification]] = {}
    for notification in notifications:
        alone = notification.source if notification.destination.is_one_by_one else ""
        groups.setdefault((notification.group_key, notification.quiet_until(at), alone), []).append(notification)
    items: list[DeliveryItem] = []
    for (key, quiet_until, alone), members in groups.items():
        found = None if alone else _still_grouping(key, members, quiet_until, at)
        delivery = found or _create(key, members, quiet_until, at)
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
    due_at = first.due_at(at)
    # The key names the decision: when a failed pass is repeated, it finds what it has created.
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
    # Without an instant for each, the delivery is no measure of how quickly TMS notifies.
    return min(prompt) if len(prompt) == len(instants) else None
