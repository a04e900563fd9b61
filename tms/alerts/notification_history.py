"""The notifications of an alert, for its history.

Notifications import alerts, not the other way round: the app that sends notifications registers a source here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from django.db.models import TextChoices

from tms.accounts.scope import EVERYTHING, Scope


class NotificationRecord(NamedTuple):
    """One message to one destination."""

    number: int
    at: datetime
    """When it was delivered or failed; before that, when it was decided."""
    to: str
    kind: TextChoices
    state: TextChoices
    is_lost: bool
    attempts: int
    detail: str
    """The response to the last attempt."""
    possible_duplicate: bool
    url: str


type Source = Callable[[int, Scope], Iterable[NotificationRecord]]

_sources: list[Source] = []


def register_source(source: Source) -> None:
    """`source` finds the notifications of an alert by its primary key, to destinations that a scope shows.

    Call it once, when the app is ready.
    """
    _sources.append(source)


def notifications_of(alert_id: int, scope: Scope = EVERYTHING) -> list[NotificationRecord]:
    """In chronological order."""
    found = chain.from_iterable(source(alert_id, scope) for source in _sources)
    return sorted(found, key=lambda record: (record.at, record.number))
