"""What was told of an alert, for its history.

Notifications know alerts, and not the other way round; so whoever tells leaves here how to find what was told.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from django.db.models import TextChoices


class NotificationRecord(NamedTuple):
    """One message to one place."""

    number: int
    at: datetime
    """When it arrived or was given up; while neither has happened, when it was decided."""
    to: str
    news: TextChoices
    state: TextChoices
    is_lost: bool
    attempts: int
    answer: str
    possible_duplicate: bool
    url: str


type Source = Callable[[int], Iterable[NotificationRecord]]

SOURCES: list[Source] = []


def told_of(alert_id: int) -> list[NotificationRecord]:
    """In the order in which it happened."""
    return sorted(chain.from_iterable(source(alert_id) for source in SOURCES), key=lambda told: (told.at, told.number))
