"""Commands over a real link."""

import json

import pytest

from tests.support.link.terminal import Terminal
from tests.support.polling import wait_for_value_async

pytestmark = [pytest.mark.both, pytest.mark.embedded]

COMMANDS = """
SELECT c.state, c.result FROM commands_command c JOIN fleet_terminal t ON t.id = c.terminal_id WHERE t.uid = %s
"""

PROGRESS = COMMANDS.replace("c.result", "c.progress_pct, c.progress_text")

REASONS = "SELECT c.error FROM commands_command c JOIN fleet_terminal t ON t.id = c.terminal_id WHERE t.uid = %s"


async def test_a_command_waits_for_the_boot_is_answered_and_stored(tms, enrol):
    credential = enrol()
    uid = credential.partition(".")[0]
    tms.manage("send_command", uid, "ping")
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()

        command = await terminal.receive()
        await terminal.send({"jsonrpc": "2.0", "id": command["id"], "result": {"answer": "pong"}})

        assert command["params"]["name"] == "ping"
        await wait_for_value_async(lambda: results(tms, uid), [("done", {"answer": "pong"})])


async def test_progress_is_stored_until_the_answer_which_is_acknowledged_each_time(tms, enrol):
    credential = enrol()
    uid = credential.partition(".")[0]
    tms.manage("send_command", uid, "ping")
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()
        command = await terminal.receive()
        answer = {"jsonrpc": "2.0", "id": command["id"], "result": {"answer": "pong"}}

        await terminal.call("progress", id=command["id"], percent=20)
        await terminal.call("progress", id=command["id"], percent=40.5, text="half\nof it")
        await wait_for_value_async(lambda: tms.query(PROGRESS, uid), [("sent", 40.5, "half of it")])
        await terminal.send(answer)
        first = await terminal.receive()
        await terminal.send(answer)
        second = await terminal.receive()

    assert first == second == {"jsonrpc": "2.0", "method": "answered", "params": {"id": command["id"]}}
    assert results(tms, uid) == [("done", {"answer": "pong"})]


async def test_a_command_from_another_process_reaches_a_connected_terminal(tms, enrol):
    credential = enrol()
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()
        await terminal.call("heartbeat")

        tms.manage("send_command", credential.partition(".")[0], "reboot")
        command = await terminal.receive()

    assert command["method"] == "command"
    assert command["params"]["name"] == "reboot"


async def test_a_refused_command_has_failed_with_the_reason_of_the_terminal(tms, enrol):
    credential = enrol()
    uid = credential.partition(".")[0]
    tms.manage("send_command", uid, "reboot")
    async with await Terminal.connect(tms.link, credential) as terminal:
        await terminal.boot()
        command = await terminal.receive()

        error = {"code": -32005, "message": "printing for a customer", "data": {"type": "tms:refused"}}
        await terminal.send({"jsonrpc": "2.0", "id": command["id"], "error": error})

        await wait_for_value_async(lambda: results(tms, uid), [("failed", None)])
        assert tms.query(REASONS, uid) == [("tms:refused printing for a customer",)]


def results(tms, uid: str) -> list[tuple[str, object]]:
    rows = tms.query(COMMANDS, uid)
    return [(state, json.loads(result) if isinstance(result, str) else result) for state, result in rows]
