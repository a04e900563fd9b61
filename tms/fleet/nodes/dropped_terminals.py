"""Terminals whose links a node dropped, and how many of them have returned: 412 of 500."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models import Presence
from tms.fleet.models.node import Node, NodeState
from tms.fleet.models.outage import Outage

FOLLOWED_FOR = timedelta(minutes=15)
"""A terminal that has not returned by then is treated like any other outage."""

AWAITED = Q(terminal__state__presence=Presence.SILENT)
MISSING = Q(terminal__state__presence=Presence.OFFLINE)


class DroppedTerminals(NamedTuple):
    """The links that one node dropped or is about to drop, and the state of their terminals."""

    node: str
    state: str
    at: datetime
    total: int
    back: int
    awaited: int
    """Still within their grace, or still linked to a draining node."""
    missing: int
    """Offline: they did not return within the grace."""
    until: datetime | None
    """When the last awaited one becomes offline."""

    @property
    def is_over(self) -> bool:
        return not self.awaited


def record(name: str, *, at: datetime) -> None:
    """Record that the node dropped its links now. An unfinished drain counted them when it began."""
    away = Outage.objects.lost_with(name).count()
    if not away:
        return
    going_on = Node.objects.filter(name=name, dropped_at__gt=at - _longest())
    before = going_on.values_list("dropped_links", flat=True).first() or 0
    with transaction.atomic():
        Node.objects.filter(name=name).update(dropped_at=at, dropped_links=max(before, away))
        publish(Change(nodes=True))


def recovery_of(at: datetime) -> Sequence[DroppedTerminals]:
    """The nodes of the last minutes, newest first, without those whose terminals have all returned."""
    nodes = list(Node.objects.that_dropped(at - FOLLOWED_FOR))
    if not nodes:
        return ()
    away = _away([node.name for node in nodes])
    found = (_count_dropped(node, *away.get(node.name, (0, 0, None))) for node in nodes)
    return tuple(dropped for dropped in found if dropped.awaited or dropped.missing)


def _away(names: Sequence[str]) -> dict[str, tuple[int, int, datetime | None]]:
    """How many terminals of each node are awaited and missing, and when the last of them becomes offline."""
    counted = (
        Outage.objects.lost_with(*names)
        .values("node")
        .annotate(
            awaited=Count("pk", filter=AWAITED),
            missing=Count("pk", filter=MISSING),
            until=Max("terminal__state__due_at", filter=AWAITED),
        )
    )
    return {row["node"]: (row["awaited"], row["missing"], row["until"]) for row in counted}


def _count_dropped(node: Node, awaited: int, missing: int, until: datetime | None) -> DroppedTerminals:
    assert node.dropped_at is not None
    open_links = node.links if node.state == NodeState.DRAINING else 0
    back = max(0, node.dropped_links - awaited - missing - open_links)
    if open_links:
        until = node.dropped_at + _longest()
    awaited += open_links
    return DroppedTerminals(node.name, node.state, node.dropped_at, node.dropped_links, back, awaited, missing, until)


def _longest() -> timedelta:
    """The time from the beginning of a drain to the end of the grace of its last terminal."""
    return timedelta(seconds=settings.DRAIN_SPREAD_S + settings.RECONNECT_GRACE_S)
