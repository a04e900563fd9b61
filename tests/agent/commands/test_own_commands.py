"""Which commands a machine has of its own, and how they are run."""

import pytest

from tests.agent.commands.handlers import Handlers
from tests.support.inventory import ROOT
from tms_agent.commands.own import MOST, OwnCommands
from tms_agent.device.machine import LogTail, Machine
from tms_agent.log import Log

ENTRY_POINTS = """
import sys

from tms_agent.device.source import CommandError

def set_level(args):
    print("progress: 50 setting", file=sys.stderr)
    print("not the result")
    return {"level": args["level"]}

def refuse(args):
    raise CommandError("the level is locked")

def fail(args):
    return 1 / 0
"""


def own(handlers: Handlers) -> OwnCommands:
    return OwnCommands(handlers.folder, Log("T-1"))


@pytest.mark.parametrize(
    ("name", "mode", "fault"),
    [
        ("ok", 0o755, ""),
        ("ok.sh", 0o700, ""),
        ("ok-2_b.py", 0o555, ""),
        ("shared.sh", 0o775, "others may write it; expected mode 755"),
        ("open.sh", 0o757, "others may write it; expected mode 755"),
        ("read.sh", 0o644, "not executable; expected mode 755"),
        ("set volume.sh", 0o755, "expected a name such as set_volume.sh"),
        ("Reboot.sh", 0o755, "expected a name such as set_volume.sh"),
        ("it.sh~", 0o755, "expected a name such as set_volume.sh"),
        ("9lives", 0o755, "expected a name such as set_volume.sh"),
        ("a" * 65, 0o755, "expected a name such as set_volume.sh"),
    ],
)
def test_a_file_is_a_command_if_only_its_owner_decides_what_it_does(handlers, caplog, name, mode, fault):
    path = handlers.add(name, "true", mode=mode)

    found = own(handlers).names()

    assert list(found) == ([] if fault else [path.stem])
    assert caplog.text.count(f"no handler: {path}: {fault}") == bool(fault)


def test_links_folders_and_doubtful_names_are_no_commands(handlers, caplog):
    (handlers.folder / "shell").symlink_to("/bin/sh")
    (handlers.folder / "folder").mkdir()
    handlers.add("twice.sh", "true")
    handlers.add("twice.py", "true")
    commands = own(handlers)

    found = [*commands.names(), *commands.names()]

    assert found == []
    assert caplog.text.count("expected a regular file, not a link or a folder") == 2
    assert caplog.text.count("another file has the same command; keep one of them") == 2


@pytest.mark.parametrize("mode", [0o777, 0o775])
def test_a_folder_that_others_may_write_has_no_commands(handlers, caplog, mode):
    handlers.add("it.sh", "true")
    handlers.folder.chmod(mode)

    assert own(handlers).names() == []
    assert f"{handlers.folder}: others may write it; expected mode 755" in caplog.text


def test_a_missing_folder_is_logged(handlers, caplog):
    handlers.folder.rmdir()

    assert own(handlers).names() == []
    assert f"{handlers.folder}: No such file or directory" in caplog.text


def test_no_more_commands_are_offered_than_tms_takes(handlers, caplog):
    for number in range(MOST + 1):
        handlers.add(f"c{number:02}", "true")

    assert len(own(handlers).names()) == MOST
    assert "51 commands" in caplog.text


def test_the_commands_of_the_agent_keep_their_names(handlers):
    handlers.add("ping.sh", "true")
    handlers.add("it.sh", "true")

    machine = Machine(tail=LogTail(), own=own(handlers))

    assert list(machine.capabilities) == ["ping", "reboot", "collect_logs", "it"]


async def test_a_handler_gets_no_secret_and_a_folder_of_its_own(tms, agent, handlers):
    handlers.add("it.sh", "touch here; echo $(pwd); ls; env >&2; env | grep CREDENTIAL")
    await agent("--handlers", str(handlers.folder))
    link = await tms.booted()

    answer = await link.command("it")
    log = await link.command("collect_logs", request_id="c2", lines=20)

    assert "it" in link.booted.capabilities
    assert answer.error.message.startswith("it ended with 1: ")
    lines = "\n".join(log.result["lines"])
    assert "it: PATH=" in lines
    assert "CREDENTIAL" not in lines


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("set_level", {"level": 5}),
        ("refuse", "refuse ended with 1: the level is locked"),
        ("fail", "fail ended with 1: ZeroDivisionError: division by zero"),
        ("gone", "gone ended with 1: ModuleNotFoundError: No module named 'gone_commands'"),
    ],
)
async def test_an_entry_point_is_a_command(tms, start, handlers, tmp_path, monkeypatch, name, expected):
    install(tmp_path / "packages", monkeypatch)
    start(source=Machine(tail=LogTail(), own=own(handlers)))
    link = await tms.booted()

    answer = await link.command(name, level=5)

    assert {"set_level", "refuse", "fail", "gone"} <= set(link.booted.capabilities)
    assert (answer.error.message if answer.error else answer.result) == expected


def install(packages, monkeypatch) -> None:
    """A package with entry points."""
    described = packages / "level-1.dist-info"
    described.mkdir(parents=True)
    (packages / "level_commands.py").write_text(ENTRY_POINTS)
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: level\nVersion: 1\n")
    names = "".join(f"{name} = level_commands:{name}\n" for name in ("set_level", "refuse", "fail", "Bad Name"))
    (described / "entry_points.txt").write_text(f"[tms_agent.commands]\n{names}gone = gone_commands:gone\n")
    monkeypatch.syspath_prepend(packages)
    monkeypatch.setenv("PYTHONPATH", f"{packages}:{ROOT / 'agent/src'}")
