"""What is to be told to one destination within a short time goes into one delivery."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from tms.alerts.models import Incident
from tms.notifications.delivery import GIVE_UP_AFTER, Delivery, News, Told
from tms.notifications.destination import Destination
from tms.notifications.policy import Policy
from tms.notifications.subject import Subject, column, place_of


class Item(NamedTuple):
    """One alert or incident for one destination."""

    subject: Subject
    policy: Policy
    destination: Destination
    news: News
    source: str
    """What was decided, so that it is not decided twice."""
    happened_at: datetime | None
    """Null if it had to wait for anything but company."""
    step: int = 0

    @property
    def together(self) -> "Together":
        place = place_of(self.subject) if self.policy.by_site else ""
        is_of_incidents = isinstance(self.subject, Incident)
        return Together(self.destination.pk, self.policy.pk, self.step, self.news, place, is_of_incidents)


class Together(NamedTuple):
    """What one delivery has in common."""

    destination: int
    policy: int
    step: int
    news: str
    place: str
    is_of_incidents: bool


def gather(items: Iterable[Item], *, at: datetime) -> None:
    """Put each into a delivery that still gathers, or into a new one."""
    groups: dict[Together, list[Item]] = {}
    for item in items:
        groups.setdefault(item.together, []).append(item)
    told: list[Told] = []
    for together, members in groups.items():
        delivery = _still_gathering(together, at) or _new(together, members, at)
        told += [Told(delivery=delivery, **column(member.subject)) for member in members]
    Told.objects.bulk_create(told, ignore_conflicts=True)


def _still_gathering(together: Together, at: datetime) -> Delivery | None:
    """Its row is held until it has its alerts: a worker that takes it meanwhile waits, and then sees them."""
    return Delivery.objects.select_for_update().gathering(at).filter(**_fields(together)).order_by("pk").first()


def _new(together: Together, members: list[Item], at: datetime) -> Delivery:
    first = members[0]
    due_at = at + timedelta(seconds=first.policy.gather_s)
    delivery, _ = Delivery.objects.get_or_create(
        key=f"{first.source}-{together.destination}",
        defaults={
            **_fields(together),
            "language": first.policy.language or first.destination.language,
            "created_at": at,
            "due_at": due_at,
            "give_up_at": due_at + GIVE_UP_AFTER,
            "happened_at": _first([member.happened_at for member in members]),
        },
    )
    return delivery


def _fields(together: Together) -> dict[str, int | str]:
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
