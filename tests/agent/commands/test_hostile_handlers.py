"""Handlers that do what no handler should: the limits hold, and nothing of them stays."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.agent.running_agent import RunningAgent
from tests.support.polling import wait_for_value_async
from tms.protocol import downlink, frames
from tms_agent.commands.own import OwnCommands
from tms_agent.device.machine import LogTail, Machine
from tms_agent.log import Log
from tms_agent.storage.command_journal import CommandJournal

FORKS = """
began
for number in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1000 & echo $! >>PIDS
    setsid sh -c 'echo $$ >>PIDS; exec sleep 1000' &
done
while [ $(wc -l <PIDS) -lt 21 ]; do :; done
echo '"forked"'
"""
FORKS_ALL_THE_TIME = """#!/usr/bin/env python3
import os, time
end = time.monotonic() + 60
if os.fork() == 0:
    while time.monotonic() < end:
        os.setsid()
        with open("PIDS", "a") as pids:
            print(os.getpid(), file=pids)
        if os.fork():
            os._exit(0)
    os._exit(0)
while not open("PIDS").read():
    pass
print("gone")
"""
NO_RESULT = None


@pytest.fixture
async def running(start, handlers, tmp_path) -> AsyncIterator[RunningAgent]:
    own = OwnCommands(handlers.folder, Log("T-1"))
    journal = CommandJournal(tmp_path / "commands")
    yield start(source=Machine(tail=LogTail(), own=own), commands=journal)
    journal.close()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("cat", {"level": 5}),
        ("began; yes", "it wrote more than 32768 bytes and was ended"),
        (
            "printf '['; head -c 10000000 /dev/zero | tr '\\0' 1; printf ']'",
            "it wrote more than 32768 bytes and was ended",
        ),
        (FORKS, "forked"),
        (FORKS_ALL_THE_TIME, {"output": "gone"}),
        ("began; kill -SEGV $$", "it was ended by SIGSEGV"),
        ("began; kill -KILL $PPID; exec sleep 1000", "it was ended by SIGKILL"),
        ('echo \'{"paper": "A4"}\'; exec >&- 2>&-; began', {"paper": "A4"}),
        (
            "exec >&-; echo 'the level must be from 0 to 4' >&2; exit 3",
            "it ended with 3: the level must be from 0 to 4",
        ),
        ("exit 1", "it ended with 1: it gave no reason"),
        ("exit 255", "it ended with 255: it gave no reason"),
        ("printf '\\377\\001\\000{'", {"output": "\ufffd?{"}),
        ("echo NaN", {"output": "NaN"}),
        ("echo '{\"a\\u0000b\": [1e3, null]}'", {"a?b": [1000, None]}),
        (
            "for i in 1 2 3 4; do printf '[[[['; done; for i in 1 2 3 4; do printf ']]]]'; done",
            {"output": "[" * 16 + "]" * 16},
        ),
        ("head -c 20000 /dev/zero | tr '\\0' '['", {"output": "[" * 20_000}),
        ("true", NO_RESULT),
        ("#!/nowhere/python\n", "it ended with 126: PATH: No such file or directory"),
        ("mkfifo $TMS_RESULT_PATH; echo 1", 1),
        ("echo '\"a file\"' >$TMS_RESULT_PATH; echo 1; kill -TERM $$", "a file"),
        ("head -c 32769 /dev/zero >$TMS_RESULT_PATH", "the result is larger than 32768 bytes"),
        ("ln -s /etc/passwd $TMS_RESULT_PATH; echo 1", 1),
    ],
)
async def test_a_handler_is_answered_and_leaves_no_process(tms, running, handlers, script, expected):
    path = handlers.add("it", script)
    link = await tms.booted()

    answer = await link.command("it", level=5)

    wanted = expected.replace("PATH", str(path)) if isinstance(expected, str) else expected
    assert (answer.error.message if answer.error else answer.result) == wanted
    await wait_for_value_async(lambda: handlers.alive, [])  # without its supervisor, the system releases it


async def test_what_hangs_is_ended_with_the_agent(tms, running, handlers):
    handlers.add("sleeps", "began; sleep 1000")
    handlers.add("ignores", "trap '' TERM INT HUP; began; while :; do sleep 1000; done")
    handlers.add("closes", "began; exec <&- >&- 2>&-; sleep 1000")
    handlers.add("logs", "began; yes >&2")
    link = await tms.booted()
    for name in ("sleeps", "ignores", "closes", "logs"):
        await link.send(downlink.CommandCall(name, frames.CommandFrame(name, {}, later())))
    await wait_for_value_async(lambda: len(handlers.alive), 4)

    running.agent.stop()

    await running.ended()
    assert handlers.alive == []


async def test_what_hangs_is_ended_at_its_deadline(tms, running, handlers):
    handlers.add("sleeps", "began; trap '' TERM; sleep 1000")
    link = await tms.booted()

    answer = await link.command("sleeps", within_s=0.5)

    assert answer.error.message == "sleeps was not done by its deadline"
    assert handlers.alive == []


async def test_a_replaced_handler_is_checked_again(tms, running, handlers):
    handlers.add("it.sh", "echo 1")
    link = await tms.booted()
    first = await link.command("it", request_id="c1")
    handlers.add("it.sh", "echo 2")
    second = await link.command("it", request_id="c2")
    path = handlers.add("it.sh", "echo 3", mode=0o757)

    third = await link.command("it", request_id="c3")

    assert (first.result, second.result) == (1, 2)
    assert third.error.message == f"{path}: others may write it; expected mode 755"


def later() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=30)
