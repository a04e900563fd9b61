"""The terminals dropped by a node: 412 of 500 back."""

from datetime import timedelta

import pytest

from tests.support.builders import AT, Link, later
from tms.clock import presence_sweep
from tms.fleet.models import Cause, Terminal
from tms.fleet.models.node import Node, NodeState
from tms.fleet.nodes import dropped_terminals
from tms.fleet.nodes.dropped_terminals import FOLLOWED_FOR
from tms.fleet.nodes.membership import Membership
from tms.ingest import commit

pytestmark = pytest.mark.both

LONG = 3_600.0


@pytest.fixture
def node(db) -> Membership:
    member = Membership("a")
    member.join()
    return member


def drop(cause: Cause = Cause.NODE_STOPPED, *, seconds: float = 0) -> None:
    """The node lost its links."""
    presence_sweep.orphan("a", later(seconds), cause=cause)


def come_back(*terminals: Terminal, seconds: float = 10) -> None:
    commit.write([Link(terminal).boot(at=later(seconds)) for terminal in terminals])


def numbers(seconds: float = 20) -> list[tuple[int, int, int, int]]:
    """Counts for each followed node: all, back, awaited, missing."""
    return [
        (loss.total, loss.back, loss.awaited, loss.missing) for loss in dropped_terminals.recovery_of(later(seconds))
    ]


def test_returned_and_awaited_terminals_are_counted_until_all_are_back(fleet, node, settings):
    terminals = [fleet.online(node="a", lease_s=LONG) for _ in range(5)]
    fleet.online(node="b", lease_s=LONG)
    drop()
    steps = [numbers()]

    come_back(*terminals[:4])
    steps.append(numbers())
    [loss] = dropped_terminals.recovery_of(later(20))
    come_back(terminals[4])

    assert steps == [[(5, 0, 5, 0)], [(5, 4, 1, 0)]]
    assert (loss.node, loss.state, loss.until) == ("a", NodeState.RUNNING, later(settings.RECONNECT_GRACE_S))
    assert not loss.is_over
    assert numbers() == []


def test_terminals_not_back_within_the_grace_are_missing(fleet, node, scheduler, settings):
    terminals = [fleet.online(node="a", lease_s=LONG) for _ in range(3)]
    drop(Cause.NODE_LOST)
    come_back(*terminals[:2])

    scheduler.advance(seconds=settings.RECONNECT_GRACE_S, step_s=10)

    [loss] = dropped_terminals.recovery_of(scheduler.at)
    assert (loss.total, loss.back, loss.awaited, loss.missing) == (3, 2, 0, 1)
    assert loss.is_over


def test_a_node_is_followed_for_a_quarter_of_an_hour(fleet, node):
    fleet.online(node="a", lease_s=LONG)
    drop()

    assert dropped_terminals.recovery_of(AT + FOLLOWED_FOR - timedelta(seconds=1))
    assert not dropped_terminals.recovery_of(AT + FOLLOWED_FOR)


def test_a_node_without_links_drops_nothing(fleet, node):
    fleet.online(node="b", lease_s=LONG)

    drop()

    assert numbers() == []


def test_terminals_with_other_problems_are_not_counted(fleet, node, settings):
    settings.NODE = "a"
    link = Link(fleet.terminal())
    commit.write([link.boot(), link.lost(at=later(5))])
    fleet.online(node="a", lease_s=LONG)

    drop(seconds=6)

    assert numbers() == [(1, 0, 1, 0)]


def test_a_draining_node_still_has_links(fleet, node, settings):
    settings.NODE = "a"
    links = [Link(fleet.terminal()) for _ in range(4)]
    commit.write([link.boot() for link in links])
    node.drain(links=4, at=AT)
    steps = [numbers()]

    commit.write([link.lost(Cause.NODE_STOPPED, at=later(5)) for link in links[:3]])
    node.record_heartbeat(links=1)
    steps.append(numbers())
    settings.NODE = "b"
    come_back(*(link.terminal for link in links[:2]))
    steps.append(numbers())
    commit.write([links[3].lost(Cause.NODE_STOPPED, at=later(15))])
    node.leave()
    steps.append(numbers())

    assert steps == [[(4, 0, 4, 0)], [(4, 0, 4, 0)], [(4, 2, 2, 0)], [(4, 2, 2, 0)]]


def test_an_aborted_drain_still_counts_earlier_terminals(fleet, node, settings):
    settings.NODE = "a"
    links = [Link(fleet.terminal()) for _ in range(4)]
    commit.write([link.boot() for link in links])
    node.drain(links=4, at=AT)
    commit.write([link.lost(Cause.NODE_STOPPED, at=later(5)) for link in links[:2]])
    settings.NODE = "b"
    come_back(links[0].terminal)

    drop(Cause.NODE_LOST, seconds=12)
    Node.objects.update(state=NodeState.LOST)

    assert numbers() == [(4, 1, 3, 0)]


def test_a_later_event_starts_a_new_count(fleet, node):
    terminals = [fleet.online(node="a", lease_s=LONG) for _ in range(3)]
    drop()
    come_back(*terminals)
    fleet.online(node="a", lease_s=LONG)

    drop(seconds=600)

    assert numbers(610) == [(1, 0, 1, 0)]
