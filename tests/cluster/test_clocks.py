"""One of several clocks is the leader, and another one takes over; alerts are never duplicated."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from deploy.processes import ClockProcess, Cluster
from tests.support.link.terminal import Terminal
from tests.support.polling import wait_for_value_async

pytestmark = pytest.mark.services

CHANGES = """
SELECT c.presence, count(*) FROM fleet_presencechange c JOIN fleet_terminal t ON t.id = c.terminal_id
WHERE t.uid = %s AND c.presence <> 'online' GROUP BY c.presence ORDER BY c.presence
"""


def leaders(cluster: Cluster) -> list[str]:
    return [clock.name for clock in cluster.clocks if clock.is_leader]


def paused(clock: ClockProcess) -> None:
    clock.pause()


def killed(clock: ClockProcess) -> None:
    clock.kill()


@contextmanager
def restored(clock: ClockProcess) -> Iterator[None]:
    yield
    clock.resume()
    if not clock.is_running:
        clock.start()


@pytest.mark.parametrize("fate", [killed, paused])
async def test_another_clock_leads_when_the_leader_is(fate: Callable[[ClockProcess], None], cluster, credential, query):
    await wait_for_value_async(lambda: len(leaders(cluster)), 1)
    [leader] = [clock for clock in cluster.clocks if clock.is_leader]
    [other] = [clock for clock in cluster.clocks if clock is not leader]
    terminal = await Terminal.connect(cluster.nodes[0].link, credential)
    await terminal.boot()
    await terminal.socket.close()

    with restored(leader):
        fate(leader)
        await wait_for_value_async(lambda: other.is_leader, expected=True)
        await wait_for_value_async(
            lambda: query(CHANGES, credential.partition(".")[0]), [("offline", 1), ("silent", 1)]
        )

    await wait_for_value_async(lambda: leaders(cluster), [other.name])
    assert await asyncio.to_thread(query, CHANGES, credential.partition(".")[0]) == [("offline", 1), ("silent", 1)]
