"""Events of the fleet for the destinations that subscribed to them.

A pass of the clock reads what was added since the last one and makes the deliveries, in one transaction: an event is
decided exactly once, and sent like every delivery, at least once and with the same `id`.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import QuerySet
from django.utils import translation
from django.utils.translation import gettext

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.fleet.models import Site, Terminal
from tms.jobs.models import Job, JobRun
from tms.lib.db.jobs import skip_when_empty
from tms.notifications.fleet_events import cursor
from tms.notifications.fleet_events.sources import SOURCES, About, EventSource, FleetEvent
from tms.notifications.models.delivery import GIVE_UP_AFTER, Delivery, DeliveryState, NotificationKind
from tms.notifications.models.destination import Destination
from tms.notifications.models.event_cursor import EventCursor, subscribers
from tms.rollouts.models import Rollout

MAX_EVENTS = 1_000
"""Events of one delivery: one request."""
MAX_WAITING = 100
"""Deliveries of events that wait for one destination. Further events are dropped, and counted in the last one."""
DROPPED = "tms.events.dropped.v1"


@skip_when_empty(lambda at: subscribers(), lambda at: EventCursor.objects.all())
def publish_new(at: datetime) -> int:
    """Make the deliveries of new events; returns how many events there were. Of a source that no subscriber needs the
    position is forgotten: who subscribes gets what happens from then on.
    """
    with transaction.atomic():
        cursors = {each.source: each for each in EventCursor.objects.select_for_update()}
        destinations = list(subscribers().select_related("owner_site", "owner_group"))
        wanted = {family for destination in destinations for family in destination.events}
        read = [source for source in SOURCES if source.families & wanted]
        EventCursor.objects.exclude(source__in=[source.name for source in read]).delete()
        events = [event for source in read for event in _new(source, cursors.get(source.name))]
        events.sort(key=lambda event: event.at)
        _deliver_all(events, destinations, at)
    return len(events)


def _new(source: EventSource, position: EventCursor | None) -> Iterable[FleetEvent]:
    if position is None:
        cursor.start(source).save()
        return []
    before = position.position, position.gaps
    rows = cursor.read(source, position)
    if before != (position.position, position.gaps):
        position.save(update_fields=("position", "gaps"))
    return source.read(rows)


def _deliver_all(events: Sequence[FleetEvent], destinations: Iterable[Destination], at: datetime) -> None:
    by_scope: defaultdict[Scope, list[Destination]] = defaultdict(list)
    for destination in destinations:
        by_scope[destination.owner].append(destination)
    for scope, those in by_scope.items():
        wanted = {family for destination in those for family in destination.events}
        seen = _seen([event for event in events if event.family in wanted], scope)
        made = [(event.family, event.attributes()) for event in seen]
        for destination in those:
            _deliver(destination, [each for family, each in made if family in destination.events], at)


def _seen(events: Collection[FleetEvent], scope: Scope) -> list[FleetEvent]:
    """The events about what people with this scope see."""
    known: dict[type[About], set[int]] = {}
    for model, seen in SEEN.items():
        pks = {event.about.pk for event in events if isinstance(event.about, model)}
        known[model] = set(seen(pks, scope).values_list("pk", flat=True)) if pks else set()
    return [event for event in events if event.about.pk in known[type(event.about)]]


def _jobs_seen(pks: Collection[int], scope: Scope) -> QuerySet[Job]:
    """Nobody knows which terminals a job is for before it runs."""
    return Job.objects.filter(pk__in=pks if scope.is_everything else ())


SEEN: Mapping[type[About], Callable[[Collection[int], Scope], QuerySet[Any]]] = {
    Terminal: lambda pks, scope: within(Terminal.objects.filter(pk__in=pks), scope),
    Site: lambda pks, scope: within(Site.objects.filter(pk__in=pks), scope),
    JobRun: lambda pks, scope: JobRun.objects.filter(pk__in=pks).wholly_within(scope),
    Job: _jobs_seen,
    Rollout: lambda pks, scope: Rollout.objects.filter(pk__in=pks).wholly_within(scope),
}
"""What a scope covers of the things that events are about."""


def _deliver(destination: Destination, events: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Fill the delivery that waits for its first attempt, then new ones."""
    if not events:
        return
    waiting = Delivery.objects.filter(
        destination=destination, kind=NotificationKind.EVENTS, state=DeliveryState.WAITING
    )
    last = waiting.filter(attempts=0).select_for_update().order_by("pk").last()
    room = max(0, MAX_EVENTS - len(_events_of(last))) if last else 0
    if last and room:
        _add(last, events[:room], at)
        events = events[room:]
    free = max(0, MAX_WAITING - waiting.count()) if events else 0
    parts = [events[start : start + MAX_EVENTS] for start in range(0, len(events), MAX_EVENTS)]
    made = [_create(destination, part, at) for part in parts[:free]]
    dropped = sum(map(len, parts[free:]))
    if dropped and (into := made[-1] if made else last):
        _count_dropped(into, dropped, at)


def _create(destination: Destination, events: Sequence[Mapping[str, Any]], at: datetime) -> Delivery:
    with translation.override(destination.language):
        title = gettext("Events of the fleet")
    return Delivery.objects.create(
        key=f"events-{uuid4()}",
        destination=destination,
        kind=NotificationKind.EVENTS,
        language=destination.language,
        created_at=at,
        due_at=at,
        give_up_at=at + GIVE_UP_AFTER,
        content={
            "kind": NotificationKind.EVENTS.value,
            "at": at.isoformat(),
            "title": title,
            "lines": [],
            "facts": {"events": list(events)},
            "subject": "",
            "severity": "",
        },
    )


def _add(delivery: Delivery, events: Sequence[Mapping[str, Any]], at: datetime) -> None:
    _events_of(delivery).extend(events)
    delivery.give_up_at = at + GIVE_UP_AFTER
    delivery.save(update_fields=("content", "give_up_at"))


def _count_dropped(delivery: Delivery, number: int, at: datetime) -> None:
    """Say at the end of the delivery how many events are missing after it."""
    events = _events_of(delivery)
    if events and events[-1]["type"] == DROPPED:
        events[-1]["data"]["number"] += number
    else:
        notice = {"id": str(uuid4()), "type": DROPPED, "time": at.isoformat(), "data": {"number": number}}
        events.append(notice)
    delivery.save(update_fields=("content",))


def _events_of(delivery: Delivery) -> list[Any]:
    content: Mapping[str, Any] = delivery.content
    events: list[Any] = content["facts"]["events"]
    return events
