"""The server processes: names, heartbeats, lost nodes."""

import io
import os
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import F

from tests.support.builders import now
from tests.support.threads import run_concurrently
from tms.fleet.models.node import LOST_AFTER_S, Node, NodeState
from tms.fleet.nodes.membership import Membership, NodeNameTaken, is_running, mark_lost

pytestmark = pytest.mark.both

ELSEWHERE = {"host": "another-host", "pid": 4711}
UNUSED_PID = 2**22 + 1
"""A process number that Linux never assigns."""


def joined(name: str = "a", *, age_s: float = 0, **fields: Any) -> Membership:
    """An existing node whose last heartbeat was `age_s` ago."""
    member = Membership(name)
    member.join(pause=unasked)
    Node.objects.filter(name=name).update(heartbeat_at=now() - timedelta(seconds=age_s), **fields)
    return member


def unasked(seconds: float) -> None:
    pytest.fail("it waited, though it knew")


def nothing(seconds: float) -> None:
    """A wait without changes."""


def meanwhile(happens: Callable[[], object]) -> Callable[[float], None]:
    def pause(seconds: float) -> None:
        happens()

    return pause


def test_a_joining_process_is_a_running_node(db):
    before = Membership("a").join(pause=unasked)

    node = Node.objects.get()
    assert before is None
    assert (node.name, node.state, node.host, node.pid) == ("a", "running", socket.gethostname(), os.getpid())
    assert abs(node.heartbeat_at - now()) < timedelta(minutes=1)


def test_a_live_process_of_the_same_name_elsewhere_is_detected_by_its_heartbeats_and_refused(db):
    other = joined(**ELSEWHERE)

    with pytest.raises(NodeNameTaken) as refusal:
        Membership("a").join(pause=meanwhile(lambda: other.record_heartbeat(links=5)))

    assert "'a': running on another-host as process 4711" in str(refusal.value)
    assert "TMS_NODE" in str(refusal.value)
    assert Node.objects.get().run == other.run


@pytest.mark.parametrize("location", [ELSEWHERE, {"pid": 1}], ids=["another host", "a number that another process has"])
def test_a_process_without_heartbeats_gives_up_its_name(db, location):
    joined(**location)
    member = Membership("a")

    before = member.join(pause=nothing)

    assert before is not None
    assert Node.objects.get().run == member.run


@pytest.mark.parametrize(
    "left",
    [{"pid": UNUSED_PID}, {"state": NodeState.STOPPED, **ELSEWHERE}, {"state": NodeState.LOST, **ELSEWHERE}, {}],
    ids=["gone from this host", "stopped", "lost", "the same process number, as in a container"],
)
def test_a_name_that_is_free_is_taken_at_once(db, left):
    joined(**left)

    Membership("a").join(pause=unasked)

    assert Node.objects.get().state == NodeState.RUNNING


def test_a_node_that_drains_keeps_its_name_until_it_ends(db):
    other = joined(**ELSEWHERE)
    other.drain(links=3, at=now())

    with pytest.raises(NodeNameTaken, match="draining"):
        Membership("a").join(pause=meanwhile(lambda: other.record_heartbeat(links=1)))

    other.leave()
    Membership("a").join(pause=unasked)


def test_a_heartbeat_contains_the_number_of_links(db):
    member = joined(age_s=5)

    is_ours = member.record_heartbeat(links=412)

    node = Node.objects.get()
    assert (is_ours, node.links, node.state) == (True, 412, NodeState.RUNNING)
    assert not Node.objects.overdue().exists()


def test_a_heartbeat_of_an_earlier_process_is_ignored(db):
    older = joined(pid=UNUSED_PID)
    joined()
    Node.objects.update(heartbeat_at=F("heartbeat_at") - timedelta(seconds=60))

    is_ours = older.record_heartbeat(links=9)

    assert not is_ours
    assert Node.objects.overdue().get().links == 0


@pytest.mark.parametrize(("age_s", "is_overdue"), [(0, False), (LOST_AFTER_S - 2, False), (LOST_AFTER_S + 2, True)])
def test_a_node_is_overdue_by_its_beat(db, age_s, is_overdue):
    joined(age_s=age_s)

    assert Node.objects.overdue().exists() == is_overdue


@pytest.mark.parametrize("state", [NodeState.STOPPED, NodeState.LOST])
def test_a_node_without_heartbeats_by_design_is_not_overdue(db, state):
    joined(age_s=99, state=state)

    assert not Node.objects.overdue().exists()


def test_a_node_is_marked_as_lost_once(db):
    joined(age_s=99)
    node = Node.objects.get()

    assert (mark_lost(node), mark_lost(node)) == (True, False)


def test_a_node_with_a_late_heartbeat_is_not_marked(db):
    member = joined(age_s=99)
    node = Node.objects.get()
    member.record_heartbeat(links=1)

    assert not mark_lost(node)
    assert Node.objects.get().state == NodeState.RUNNING


def test_a_node_marked_as_lost_that_continues_is_running_again(db):
    member = joined(age_s=99)
    mark_lost(Node.objects.get())

    assert member.record_heartbeat(links=2)
    assert Node.objects.get().state == NodeState.RUNNING


@pytest.mark.django_db(transaction=True)
def test_of_two_that_start_at_once_under_one_name_one_gets_it(transactional_db):
    members = [Membership("a", pid=pid) for pid in (1, os.getppid())]

    results = run_concurrently(
        2, lambda n: members[n].join(pause=meanwhile(lambda: members[1 - n].record_heartbeat(links=0)))
    )

    [first] = [member for member, result in zip(members, results, strict=True) if result is None]
    [refusal] = [result for result in results if result is not None]
    assert isinstance(refusal, NodeNameTaken)
    assert Node.objects.get().run == first.run


@pytest.mark.django_db(transaction=True)
def test_boards_are_notified_of_a_new_or_lost_node(transactional_db, feed_recorder):
    member = Membership("a")
    feed_recorder.changes()

    member.join(pause=unasked)
    member.drain(links=0, at=now())
    member.leave()

    assert [change.nodes for change in feed_recorder.changes()] == [True] * 3


def test_whether_a_process_runs():
    assert is_running(os.getpid())
    assert not is_running(UNUSED_PID)


def test_names_unused_for_a_month_are_deleted(db):
    month = 31 * 86_400
    joined("gone", age_s=month, state=NodeState.LOST)
    joined("quiet", age_s=month)
    joined("stopped", age_s=86_400, state=NodeState.STOPPED)

    joined("new")

    assert list(Node.objects.values_list("name", flat=True)) == ["new", "quiet", "stopped"]


def listed() -> str:
    out = io.StringIO()
    call_command("nodes", stdout=out)
    return out.getvalue()


def test_a_command_lists_them(db):
    joined("node-1", age_s=3, links=1_412, **ELSEWHERE)
    joined("b", state=NodeState.STOPPED)

    head, first, second = listed().splitlines()

    assert head.split() == ["node", "state", "links", "last", "heartbeat", "started", "host", "process"]
    assert first.split()[:3] == ["b", "stopped", "0"]
    assert second.split()[:6] == ["node-1", "running", "1,412", "3", "s", "ago"]
    assert second.split()[-2:] == ["another-host", "4711"]


def test_the_command_reports_an_empty_list(db):
    assert "manage.py serve" in listed()
