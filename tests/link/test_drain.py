"""SIGTERM: terminals get a drain frame, links close with 4503, and no terminal becomes offline."""

import asyncio

import pytest

from tests.support.link.terminal import Terminal
from tests.support.servers.tms import RunningTMS

pytestmark = [pytest.mark.both, pytest.mark.embedded]

STATES = "SELECT presence, cause FROM fleet_terminalstate"


async def test_a_stopping_node_sends_drain_commits_pending_reports_and_closes_with_4503(tmp_path):
    with RunningTMS(tmp_path) as tms:
        [credential] = tms.enrol_many(1)
        terminal = await Terminal.connect(tms.link, credential)
        await terminal.boot()
        await terminal.report(1)

        stopping = asyncio.create_task(asyncio.to_thread(tms.stop))
        frames = [await terminal.receive(), await terminal.receive()]
        code = await terminal.closed()

        assert {frame["method"] for frame in frames} == {"ack", "drain"}
        assert code == 4503
        assert await stopping == 0
        assert tms.query(STATES) == [("silent", "node_stopped")]


async def test_a_restarted_node_does_not_show_terminals_of_lost_links_as_online(tmp_path):
    with RunningTMS(tmp_path, TMS_RECONNECT_GRACE_S="60") as tms:
        [credential] = tms.enrol_many(1)
        terminal = await Terminal.connect(tms.link, credential)
        await terminal.boot()
        tms.kill()

        tms.start()

        assert tms.query(STATES) == [("silent", "node_stopped")]
        await terminal.socket.close()
