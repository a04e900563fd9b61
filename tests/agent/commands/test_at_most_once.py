"""The agent is killed in each phase of a command: it runs at most once, and its answer arrives."""

import asyncio
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.polling import wait_for_value_async
from tms.protocol import downlink, frames, uplink
from tms.protocol.errors import ErrorType, FrameError
from tms_agent.commands.runner import INTERRUPTED
from tms_agent.protocol.downlink import CommandCall
from tms_agent.protocol.frames import CommandFrame
from tms_agent.protocol.instants import parse
from tms_agent.storage.answers import Answers
from tms_agent.storage.command_journal import CommandJournal

CONFIRMS = ("answered",)
KILLS_THE_AGENT = "kill -KILL $(ps -o ppid= -p $PPID); exec sleep 1000"


@pytest.fixture
async def run(agent, handlers) -> Callable:
    """Starts an agent with the handlers."""

    async def run(**variables: str) -> asyncio.subprocess.Process:
        return await agent("--handlers", str(handlers.folder), **variables)

    return run


@pytest.fixture
def commands(tmp_path) -> Path:
    """The commands that the agents remember."""
    return tmp_path / "spool.commands"


def outcome(answer: uplink.CommandAnswer) -> tuple[object, object]:
    return answer.id, answer.error.message if answer.error else answer.result


async def test_killed_before_the_handler_runs(tms, run, handlers, commands):
    handlers.add("it", "began")
    journal = CommandJournal(commands)
    Answers(journal).begin(CommandCall("c1", CommandFrame("it", {"level": 5}, parse("2026-12-01T00:00:00Z"))))
    journal.close()

    await run()
    link = await tms.booted(features=CONFIRMS)
    first = await link.expect(uplink.CommandAnswer)
    again = await link.command("it", level=5)

    assert outcome(first) == outcome(again) == ("c1", INTERRUPTED)
    assert handlers.pids == []


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("began; exec sleep 1000", INTERRUPTED),
        (f"began; {KILLS_THE_AGENT}", INTERRUPTED),
        (f"began; echo '{{\"version\": 5}}' >$TMS_RESULT_PATH; {KILLS_THE_AGENT}", {"version": 5}),
        (f"began; mkfifo $TMS_RESULT_PATH; {KILLS_THE_AGENT}", INTERRUPTED),
    ],
)
async def test_killed_while_the_handler_runs(tms, run, handlers, script, expected):
    handlers.add("it", script)
    process = await run()
    link = await tms.booted(features=CONFIRMS)
    await link.start_command("it")
    await wait_for_value_async(lambda: len(handlers.pids), 1)
    if "kill" not in script:
        process.kill()
    await process.wait()
    await wait_for_value_async(lambda: handlers.alive, [])

    await run()
    link = await tms.booted(features=CONFIRMS)
    first = await link.expect(uplink.CommandAnswer)
    again = await link.command("it")

    assert outcome(first) == outcome(again) == ("c1", expected)
    assert len(handlers.pids) == 1


async def test_killed_before_the_answer_is_sent(tms, run, handlers, commands, tmp_path):
    os.mkfifo(tmp_path / "go")
    handlers.add("it", f"began; read line <{tmp_path}/go; echo '\"done\"'")
    process = await run()
    link = await tms.booted(features=CONFIRMS)
    await link.start_command("it")
    await wait_for_value_async(lambda: len(handlers.pids), 1)
    tms.refuse(503, Retry_After="600")
    link.cut()
    await wait_for_value_async(lambda: len(tms.refusals), 0)
    await asyncio.to_thread((tmp_path / "go").write_text, "go\n")
    await wait_for_value_async(lambda: [each.id for each in unconfirmed(commands)], ['"c1"'])
    process.kill()
    await process.wait()

    await run()
    link = await tms.booted(features=CONFIRMS)

    assert outcome(await link.expect(uplink.CommandAnswer)) == ("c1", "done")
    assert len(handlers.pids) == 1


async def test_killed_before_tms_confirms_the_answer(tms, run, handlers):
    handlers.add("it", "began; echo 1")
    process = await run()
    link = await tms.booted(features=CONFIRMS)
    first = await link.command("it")
    process.kill()
    await process.wait()

    process = await run()
    link = await tms.booted(features=CONFIRMS)
    again = await link.expect(uplink.CommandAnswer)
    await link.answered("c1")
    last = await link.command("ping", request_id="c2")
    await link.answered("c2")
    process.terminate()
    await link.expect(uplink.GoodbyeCall)
    await process.wait()

    await run()
    link = await tms.booted(features=CONFIRMS)
    next_one = await link.command("ping", request_id="c3")

    assert outcome(first) == outcome(again) == ("c1", 1)
    assert (last.id, next_one.id) == ("c2", "c3")
    assert len(handlers.pids) == 1


async def test_an_answer_that_an_older_tms_has_is_not_sent_again(tms, run, handlers):
    handlers.add("it", "began; echo 1")
    process = await run()
    link = await tms.booted()
    await link.command("it")
    await link.command("ping", request_id="c2")
    process.terminate()
    await link.expect(uplink.GoodbyeCall)
    await process.wait()

    await run()
    link = await tms.booted()
    answer = await link.command("ping", request_id="c3")

    assert answer.id == "c3"


async def test_an_answer_is_sent_on_each_link_until_it_is_confirmed(tms, start):
    start()
    link = await tms.booted(features=CONFIRMS)
    await link.command("ping")
    link.cut()
    link = await tms.booted(features=CONFIRMS)
    again = await link.expect(uplink.CommandAnswer)
    await link.answered("c1")
    await link.command("ping", request_id="c2")
    link.cut()

    link = await tms.booted(features=CONFIRMS)

    assert again.id == "c1"
    assert (await link.expect(uplink.CommandAnswer)).id == "c2"


async def test_an_answer_that_tms_cannot_read_is_not_sent_again(tms, start):
    start()
    link = await tms.booted(features=CONFIRMS)
    await link.command("ping")
    await link.connection.send(downlink.refusal(FrameError(ErrorType.BAD_FRAME, "no answer", id="c1")))
    await link.command("ping", request_id="c2")
    link.cut()

    link = await tms.booted(features=CONFIRMS)

    assert (await link.expect(uplink.CommandAnswer)).id == "c2"


async def test_a_command_that_comes_twice_runs_once(tms, run, handlers, tmp_path):
    os.mkfifo(tmp_path / "go")
    handlers.add("it", f"began; read line <{tmp_path}/go; echo 1")
    await run()
    link = await tms.booted(features=CONFIRMS)
    await link.start_command("it")
    await link.start_command("it")
    pong = await link.command("ping", request_id="c2")
    await asyncio.to_thread((tmp_path / "go").write_text, "go\n")
    first = await link.expect(uplink.CommandAnswer)

    again = await link.command("it")

    assert pong.id == "c2"
    assert outcome(first) == outcome(again) == ("c1", 1)
    assert len(handlers.pids) == 1


async def test_a_restored_tms_may_use_an_id_again_for_another_command(tms, run, handlers):
    handlers.add("it", "began; cat")
    await run()
    link = await tms.booted(features=CONFIRMS)
    first = await link.command("it", level=1)

    second = await link.command("it", level=2)

    assert (first.result, second.result) == ({"level": 1}, {"level": 2})


async def test_a_handler_that_needs_a_reboot_lets_the_agent_do_it_once(tms, run, handlers, tmp_path):
    handlers.add("it", "began; echo '{\"reboot\": true}'")
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "shutdown").write_text(f"#!/bin/sh\necho $* >>{tmp_path}/reboots\n")
    (programs / "shutdown").chmod(0o755)
    path = f"{programs}:{os.environ['PATH']}"
    assert shutil.which("shutdown", path=path) == str(programs / "shutdown")
    process = await run(PATH=path)
    link = await tms.booted(features=CONFIRMS)

    answer = await link.command("it")
    goodbye = await link.expect(uplink.GoodbyeCall)
    await process.wait()
    await run(PATH=path)
    link = await tms.booted(features=CONFIRMS)
    after = await link.expect(uplink.CommandAnswer)
    again = await link.command("it")

    assert outcome(answer) == outcome(after) == outcome(again) == ("c1", {"reboot": True})
    assert goodbye.params.reason == "reboot"
    assert goodbye.params.back_at is not frames.GoodbyeFrame("reboot").back_at
    assert (tmp_path / "reboots").read_text() == "-r now\n"
    assert len(handlers.pids) == 1


def unconfirmed(path: Path) -> list:
    journal = CommandJournal(path)
    try:
        return list(journal.unconfirmed())
    finally:
        journal.close()
