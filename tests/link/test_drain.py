"""SIGTERM: terminals get a drain frame, links close with 4503, and no terminal becomes offline."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from tests.support.link.credentials import credential_supply
from tests.support.link.terminal import Terminal
from tests.support.servers.tms import RunningTMS

pytestmark = [pytest.mark.both, pytest.mark.embedded]

STATE = """
SELECT s.presence, s.cause FROM fleet_terminalstate s JOIN fleet_terminal t ON t.id = s.terminal_id WHERE t.uid = %s
"""


@pytest.fixture(scope="module")
def tms(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTMS]:
    """A TMS of this file, because its tests kill and stop it."""
    with RunningTMS(tmp_path_factory.mktemp("tms"), TMS_RECONNECT_GRACE_S="60") as running:
        yield running


@pytest.fixture(scope="module")
def enrol(tms: RunningTMS) -> Callable[[], str]:
    return credential_supply(tms)


async def test_a_restarted_node_does_not_show_terminals_of_lost_links_as_online(tms, enrol):
    credential = enrol()
    terminal = await Terminal.connect(tms.link, credential)
    await terminal.boot()
    tms.kill()

    tms.start()

    assert tms.query(STATE, credential.partition(".")[0]) == [("silent", "node_stopped")]
    await terminal.socket.close()


async def test_a_stopping_node_sends_drain_commits_pending_reports_and_closes_with_4503(tms, enrol):
    credential = enrol()
    terminal = await Terminal.connect(tms.link, credential)
    await terminal.boot()
    await terminal.report(1)

    stopping = asyncio.create_task(asyncio.to_thread(tms.stop))
    frames = [await terminal.receive(), await terminal.receive()]
    code = await terminal.closed()

    assert {frame["method"] for frame in frames} == {"ack", "drain"}
    assert code == 4503
    assert await stopping == 0
    assert tms.query(STATE, credential.partition(".")[0]) == [("silent", "node_stopped")]
