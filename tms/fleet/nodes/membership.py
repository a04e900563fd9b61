"""Membership of a server process among the nodes of this TMS: join, heartbeats, drain, leave."""

import os
import socket
import time
from collections.abc import Callable
from datetime import datetime
from uuid import uuid4

from django.db import models, transaction
from django.db.models import Case, F, Value, When
from django.db.models.functions import Now

from tms.feed.change import Change
from tms.feed.publisher import publish
from tms.fleet.models.node import ALIVE, HEARTBEAT_S, Node, NodeState

WATCH_S = 2.5 * HEARTBEAT_S
"""A live node records at least two heartbeats within this."""
WATCH_EACH_S = 0.5


class NodeNameTaken(Exception):
    """Another live process has this name: two of the same name would each take the other's links for lost."""

    def __init__(self, node: Node) -> None:
        super().__init__(
            f"another process is the node {node.name!r}: {node.state} on {node.host} as process {node.pid}, started "
            f"{node.started_at:%Y-%m-%d %H:%M:%S %Z}; give this one a name of its own in TMS_NODE, or stop that one"
        )
        self.node = node


class Membership:
    """This process as a node. Every call writes one row; call it from one thread at a time."""

    def __init__(self, name: str, *, pid: int | None = None) -> None:
        self.name = name
        self.run = uuid4().hex
        self._host, self._pid = socket.gethostname(), pid or os.getpid()

    def join(self, *, pause: Callable[[float], None] = time.sleep) -> datetime | None:
        """Claim the name. Returns the last heartbeat of its previous process.

        Raises NodeNameTaken if a live process has the name; finding out may take WATCH_S.
        """
        before = Node.objects.filter(name=self.name).first()
        if before is not None and self._seems_alive(before) and has_heartbeat(before, pause=pause):
            raise NodeNameTaken(before)
        if not self._enter(before):
            raise NodeNameTaken(Node.objects.get(name=self.name))
        return before.heartbeat_at if before else None

    def record_heartbeat(self, *, links: int) -> bool:
        """Whether the name is still this process's. A node that was declared lost but continues is running again."""
        state = Case(When(state=NodeState.LOST, then=Value(NodeState.RUNNING.value)), default=F("state"))
        return bool(self._row().update(heartbeat_at=Now(), links=links, state=state))

    def drain(self, *, links: int, at: datetime) -> None:
        """Its `links` are about to close: as many terminals are expected on other nodes."""
        with transaction.atomic():
            self._row().update(
                state=NodeState.DRAINING, heartbeat_at=Now(), links=links, dropped_at=at, dropped_links=links
            )
            publish(Change(nodes=True))

    def leave(self) -> None:
        with transaction.atomic():
            self._row().update(state=NodeState.STOPPED, heartbeat_at=Now(), links=0)
            publish(Change(nodes=True))

    def _row(self) -> models.QuerySet[Node]:
        return Node.objects.filter(name=self.name, run=self.run)

    def _seems_alive(self, node: Node) -> bool:
        """What is known at once: whether a process of this host is still running."""
        if node.state not in ALIVE:
            return False
        return node.host != self._host or (node.pid != self._pid and is_running(node.pid))

    def _enter(self, before: Node | None) -> bool:
        """Enter the node. Returns False if two started at once, and the other was first."""
        me = {"run": self.run, "host": self._host, "pid": self._pid, "started_at": Now(), "heartbeat_at": Now()}
        me |= {"state": NodeState.RUNNING, "links": 0}
        with transaction.atomic():
            Node.objects.unused().delete()
            publish(Change(nodes=True))
            if before is not None:
                # Conditional on the former run: of two processes that start at once, the second finds another one.
                return bool(Node.objects.filter(pk=before.pk, run=before.run).update(**me))
            return Node.objects.get_or_create(name=self.name, defaults=me)[1]


def mark_lost(node: Node) -> bool:
    """Mark the node as lost. Returns False if it has a heartbeat after all, or was already marked."""
    with transaction.atomic():
        marked = Node.objects.overdue().filter(pk=node.pk, run=node.run).update(state=NodeState.LOST)
        publish(Change(nodes=True))
    return bool(marked)


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # The process exists, and belongs to another user.
        return True
    return True


def has_heartbeat(node: Node, *, pause: Callable[[float], None]) -> bool:
    """Wait for a new heartbeat: the process id may belong to another process, or the host may no longer exist."""
    for _ in range(round(WATCH_S / WATCH_EACH_S)):
        pause(WATCH_EACH_S)
        seen = Node.objects.filter(pk=node.pk).values_list("run", "heartbeat_at", "state").first()
        if seen is None or seen[2] not in ALIVE:
            return False
        if seen[:2] != (node.run, node.heartbeat_at):
            return True
    return False
