"""How far a command is, as TMS is told."""

import asyncio
import os

import pytest

from tms.protocol import uplink
from tms_agent.commands.own import OwnCommands
from tms_agent.commands.progress import Progress
from tms_agent.device.machine import LogTail, Machine
from tms_agent.log import Log

LINES = {
    "progress: 40 copying": (40, "copying"),
    "progress: 7%": (7, ""),
    "progress:copying 3 files": (None, "copying 3 files"),
    "progress: 900 much": (100, "much"),
    "progress: 40copies": (None, "40copies"),
}


@pytest.mark.parametrize("line", LINES)
async def test_a_line_of_a_handler_is_sent_as_progress(tms, start, handlers, tmp_path, line):
    os.mkfifo(tmp_path / "go")
    handlers.add("it", f"echo '{line}' >&2; read line <{tmp_path}/go; echo '\"done\"'")
    start(source=Machine(tail=LogTail(), own=OwnCommands(handlers.folder, Log("T-1"))))
    link = await tms.booted(features=("progress",))
    await link.start_command("it")

    progress = await link.expect(uplink.ProgressCall)
    await asyncio.to_thread((tmp_path / "go").write_text, "go\n")
    answer = await link.expect(uplink.CommandAnswer)

    assert (progress.params.id, answer.result) == ("c1", "done")
    assert (progress.params.percent or None, progress.params.text) == LINES[line]


async def test_an_older_tms_gets_no_progress(tms, start, handlers):
    handlers.add("it", "echo 'progress: 40' >&2; echo 1")
    start(source=Machine(tail=LogTail(), own=OwnCommands(handlers.folder, Log("T-1"))))
    link = await tms.booted()

    assert (await link.command("it")).result == 1


async def test_only_the_newest_of_a_command_is_sent_one_at_a_time():
    due = asyncio.Event()
    progress = Progress(due.set)
    for percent in range(50):
        progress.note("c1", percent, "copying")
    progress.note("c2", None, "x" * 1_000)
    progress.note("c3", 1, "ended")
    progress.forget("c3")

    sent = []
    while len(sent) < 2:
        await due.wait()
        due.clear()
        sent += [progress.next(), progress.next()][:1]

    assert progress.next() is None
    assert [(each.id, each.percent, len(each.text)) for each in sent] == [("c1", 49, 7), ("c2", None, 500)]
