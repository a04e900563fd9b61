"""What is to be told to one destination within a short time goes into one delivery."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.models import Incident
from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery, News, Told
from tms.notifications.models.destination import Destination
from tms.notifications.models.policy import Policy
from tms.notifications.subjects import Subject, column, place_of

GROUP_WAIT_S = 5
"""Where no policy says for how long."""


class Notification(NamedTuple):
    """One alert or incident for one destination."""

    subject: Subject
    policy: Policy | None
    """None: it is for one person, whatever policies say."""
    destination: Destination
    news: News
    source: str
    """What was decided, so that it is not decided twice."""
    happened_at: datetime | None
    """Null if it had to wait for anything but company."""
    step: int = 0

    @property
    def together(self) -> "GroupKey":
        place = place_of(self.subject) if self.policy is not None and self.policy.by_site else ""
        is_of_incidents = isinstance(self.subject, Incident)
        policy = self.policy.pk if self.policy else None
        return GroupKey(self.destination.pk, policy, self.step, self.news, place, is_of_incidents)

    @property
    def gather_s(self) -> int:
        return self.policy.gather_s if self.policy else GROUP_WAIT_S

    @property
    def language(self) -> str:
        return (self.policy.language if self.policy else "") or self.destination.language

    def quiet_until(self, at: datetime) -> datetime | None:
        """When the quiet hours of its destination are over, if it has to wait for that."""
        return self.destination.quiet_until(self.subject.severity, at=at)


class GroupKey(NamedTuple):
    """What one delivery has in common."""

    destination: int
    policy: int | None
    step: int
    news: str
    place: str
    is_of_incidents: bool


def group(items: Iterable[Notification], *, at: datetime) -> None:
    """Put each into a delivery that still gathers, or into a new one."""
    groups: dict[tuple[GroupKey, datetime | None], list[Notification]] = {}
    for item in items:
        groups.setdefault((item.together, item.quiet_until(at)), []).append(item)
    told: list[Told] = []
    for (together, quiet_until), members in groups.items():
        delivery = _still_gathering(together, members, quiet_until, at) or _new(together, members, quiet_until, at)
        told += [Told(delivery=delivery, **column(member.subject)) for member in members]
    Told.objects.bulk_create(told, ignore_conflicts=True)


def _still_gathering(
    together: GroupKey, members: list[Notification], quiet_until: datetime | None, at: datetime
) -> Delivery | None:
    """Its row is held until it has its alerts: a worker that takes it meanwhile waits, and then sees them."""
    grouping = Delivery.objects.select_for_update().still_grouping(at).filter(**_fields(together)).order_by("pk")
    if quiet_until is not None:
        return grouping.filter(due_at__gte=quiet_until).first()
    return grouping.filter(due_at__lte=at + timedelta(seconds=members[0].gather_s)).first()


def _new(together: GroupKey, members: list[Notification], quiet_until: datetime | None, at: datetime) -> Delivery:
    first = members[0]
    due_at = quiet_until or at + timedelta(seconds=first.gather_s)
    delivery, _ = Delivery.objects.get_or_create(
        key=f"{first.source}-{together.destination}",
        defaults={
            **_fields(together),
            "language": first.language,
            "created_at": at,
            "due_at": due_at,
            "give_up_at": due_at + GIVE_UP_AFTER,
            "happened_at": None if quiet_until else _first([member.happened_at for member in members]),
        },
    )
    return delivery


def _fields(together: GroupKey) -> dict[str, int | str | None]:
    return {
        "destination_id": together.destination,
        "policy_id": together.policy,
        "step": together.step,
        "news": together.news,
        "place": together.place,
        "is_of_incidents": together.is_of_incidents,
    }


def _first(instants: list[datetime | None]) -> datetime | None:
    prompt = [at for at in instants if at is not None]
    return min(prompt) if len(prompt) == len(instants) else None
