"""The notifications of an alert or incident, for its history.

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
    is_delivered: bool
    is_lost: bool
    attempts: int
    detail: str
    """The response to the last attempt."""
    possible_duplicate: bool
    url: str


type RecordSource = Callable[[int, Scope], Iterable[NotificationRecord]]

_sources: list[RecordSource] = []
_sources_of_incidents: list[RecordSource] = []


def register_source(source: RecordSource, *, of_incidents: RecordSource) -> None:
    """Each finds the notifications of an alert, or of an incident, by primary key, to destinations that a scope shows.

    Call it once, when the app is ready.
    """
    _sources.append(source)
    _sources_of_incidents.append(of_incidents)


def notifications_of(
    alert_id: int, scope: Scope = EVERYTHING, *, until: datetime | None = None
) -> list[NotificationRecord]:
    """Notifications in chronological order. `until`: those that had been delivered or had failed at a past instant."""
    return _collect(_sources, alert_id, scope, until)


def notifications_of_incident(
    incident_id: int, scope: Scope = EVERYTHING, *, until: datetime | None = None
) -> list[NotificationRecord]:
    return _collect(_sources_of_incidents, incident_id, scope, until)


def _collect(
    sources: Iterable[RecordSource], pk: int, scope: Scope, until: datetime | None
) -> list[NotificationRecord]:
    found = chain.from_iterable(source(pk, scope) for source in sources)
    known = (one for one in found if until is None or (one.at <= until and (one.is_delivered or one.is_lost)))
    return sorted(known, key=lambda record: (record.at, record.number))
