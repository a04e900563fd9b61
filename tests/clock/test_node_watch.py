"""What the clock does about nodes without heartbeats."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import F

from tests.support.builders import AT, Link, later
from tests.support.threads import run_concurrently
from tms.alerts.models import Alert
from tms.clock import node_watch, presence_sweep
from tms.fleet.models import Cause, Presence, PresenceChange, TerminalState
from tms.fleet.models.node import LOST_AFTER_S, Node, NodeState
from tms.fleet.nodes import dropped_terminals
from tms.fleet.nodes.membership import Membership
from tms.fleet.presence import store as presence_store
from tms.ingest import commit
from tms.lib.db.clock import DatabaseClock

pytestmark = pytest.mark.both


@pytest.fixture
def node(db) -> Membership:
    member = Membership("a")
    member.join()
    return member


def lose_heartbeats() -> None:
    Node.objects.update(heartbeat_at=F("heartbeat_at") - timedelta(seconds=LOST_AFTER_S + 1))


class Seconds:
    """A monotonic clock that moves on demand."""

    def __init__(self) -> None:
        self.at = 1_000.0

    def __call__(self) -> float:
        return self.at


def watching(seconds: Seconds) -> node_watch.NodeWatch:
    """A watch that has observed long enough: the pass counts as a check although no node is overdue."""
    watch = node_watch.NodeWatch(seconds)
    check = watch.as_pass()
    for _ in range(round(LOST_AFTER_S) + 1):
        check(AT)
        seconds.at += 1
    return watch


def seen() -> list[tuple[str, str]]:
    return list(TerminalState.objects.order_by("pk").values_list("presence", "cause"))


def test_the_terminals_of_a_lost_node_are_silent_with_the_reconnect_grace(fleet, node, settings):
    fleet.online(node="a", lease_s=600)
    fleet.online(node="b", lease_s=600)
    watch = watching(Seconds())
    lose_heartbeats()

    watch.check(AT)

    assert seen() == [(Presence.SILENT, Cause.NODE_LOST), (Presence.ONLINE, "")]
    assert TerminalState.objects.first().due_at == later(settings.RECONNECT_GRACE_S)
    assert Node.objects.get().state == NodeState.LOST


def test_a_lost_node_opens_no_alerts_before_the_grace_is_over(fleet, node, scheduler, settings):
    fleet.presence_rule(Presence.SILENT)
    fleet.online(node="a", lease_s=600)
    watch = watching(Seconds())
    lose_heartbeats()

    watch.check(AT)
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S - 1, step_s=10)
    within = Alert.objects.count()
    scheduler.advance(seconds=1)

    assert (within, Alert.objects.unresolved().count()) == (0, 1)
    assert seen() == [(Presence.OFFLINE, Cause.NODE_LOST)]


def test_a_node_is_marked_as_lost_once(fleet, node):
    fleet.online(node="a", lease_s=600)
    watch = watching(Seconds())
    lose_heartbeats()

    for _ in range(3):
        watch.check(AT)

    assert PresenceChange.objects.count() == 1


def test_a_leader_that_dies_meanwhile_leaves_the_rest_to_the_next(fleet, node, monkeypatch):
    monkeypatch.setattr(presence_store, "SWEEP_LIMIT", 1)
    for _ in range(3):
        fleet.online(node="a", lease_s=600)
    lose_heartbeats()
    with monkeypatch.context() as patch:
        patch.setattr(dropped_terminals, "record", lambda *args, **kwargs: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            watching(Seconds()).check(AT)

    watching(Seconds()).check(AT)

    assert seen() == [(Presence.SILENT, Cause.NODE_LOST)] * 3
    assert PresenceChange.objects.count() == 3


def test_a_new_watch_gives_every_node_the_full_time(fleet, node):
    fleet.online(node="a", lease_s=600)
    seconds = Seconds()
    watch = node_watch.NodeWatch(seconds)
    lose_heartbeats()

    watch.check(AT)
    seconds.at += LOST_AFTER_S - 3
    watch.check(AT)
    before = seen()
    seconds.at += 3
    watch.check(AT)

    assert before == [(Presence.ONLINE, "")]
    assert seen() == [(Presence.SILENT, Cause.NODE_LOST)]


def test_an_interrupted_watch_marks_no_node_as_lost(fleet, node):
    """The database was unavailable, and no node could record a heartbeat."""
    fleet.online(node="a", lease_s=600)
    seconds = Seconds()
    watch = watching(seconds)
    seconds.at += 30
    lose_heartbeats()

    watch.check(AT)
    node.record_heartbeat(links=1)
    seconds.at += LOST_AFTER_S
    watch.check(AT)

    assert seen() == [(Presence.ONLINE, "")]
    assert Node.objects.get().state == NodeState.RUNNING


def test_a_database_clock_that_just_jumped_marks_no_node_as_lost(fleet, node, monkeypatch):
    ahead = timedelta()
    clock = DatabaseClock(lambda: datetime.now(UTC) + ahead)
    clock.synchronise()
    monkeypatch.setattr(node_watch, "db_clock", lambda: clock)
    fleet.online(node="a", lease_s=600)
    watch = watching(Seconds())
    lose_heartbeats()  # every node appears late by a clock that is a day ahead
    ahead = timedelta(days=1)

    watch.check(AT)

    assert seen() == [(Presence.ONLINE, "")]
    assert Node.objects.get().state == NodeState.RUNNING


def test_a_returning_node_has_its_terminals_online_with_their_next_frame(fleet, node, settings):
    settings.NODE = "a"
    link = Link(fleet.terminal())
    commit.write([link.boot()])
    watch = watching(Seconds())
    lose_heartbeats()
    watch.check(later(10))

    node.record_heartbeat(links=1)
    commit.write([link.heartbeat(at=later(15))])

    assert seen() == [(Presence.ONLINE, "")]
    assert Node.objects.get().state == NodeState.RUNNING


@pytest.mark.services
@pytest.mark.django_db(transaction=True)
def test_a_terminal_that_reconnects_elsewhere_concurrently_is_not_marked_as_lost_again(fleet, settings):
    settings.NODE = "b"
    terminals = [fleet.online(node="a", lease_s=600) for _ in range(60)]
    links = [Link(terminal) for terminal in terminals]

    def act(n: int) -> object:
        if n == 0:
            return presence_sweep.orphan("a", AT, cause=Cause.NODE_LOST)
        return [commit.write([link.boot(at=later(1))]) for link in links[n::5]]

    results = run_concurrently(5, act)

    assert not [result for result in results if isinstance(result, Exception)]
    assert set(TerminalState.objects.filter(node="b").values_list("presence", flat=True)) == {Presence.ONLINE}
