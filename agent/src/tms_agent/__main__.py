"""`tms-agent`: connects the machine it runs on to TMS."""

import asyncio
import contextlib
import logging
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tms_agent import arguments
from tms_agent.agent import Agent
from tms_agent.arguments import DONE, FAILED, MISUSED
from tms_agent.commands.own import OwnCommands
from tms_agent.device.identity import Identity
from tms_agent.device.machine import LogTail, Machine, reboot
from tms_agent.log import Log
from tms_agent.options import Options
from tms_agent.protocol import frames
from tms_agent.protocol.credential import PlainCredential
from tms_agent.service.notify import Systemd
from tms_agent.service.status import Status, answering, socket_of
from tms_agent.settings.errors import UsageError
from tms_agent.settings.management import management_of
from tms_agent.settings.settings import Settings
from tms_agent.settings.values import sends_secrets_in_the_clear
from tms_agent.storage.command_journal import CommandJournal
from tms_agent.storage.journal import SpoolError, SqliteJournal
from tms_agent.storage.spool import Spool
from tms_agent.storage.state import AgentState
from tms_agent.storage.writer import JournalWriter
from tms_agent.updating import trial

log = logging.getLogger("tms_agent")


class OneLineFormatter(logging.Formatter):
    """Formats an event as one line, with special characters escaped."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def main(argv: Sequence[str] | None = None) -> int:
    given = list(sys.argv[1:] if argv is None else argv)
    command = given.pop(0) if given and given[0] in arguments.COMMANDS else "run"
    try:
        return run(given) if command == "run" else run_once(command, given)
    except (UsageError, SpoolError) as error:
        print(f"tms-agent: {error}", file=sys.stderr)
        return MISUSED


def run(argv: Sequence[str]) -> int:
    settings = arguments.parse(argv)
    key = settings.credential()
    spool = settings.spool_of(key.uid)
    journal = SqliteJournal(spool, key.uid)
    tail = start_log(is_verbose=settings.verbose)
    for warning in warnings_of(settings):
        log.warning("%s", warning)
    with contextlib.closing(journal), contextlib.closing(CommandJournal(commands_file(spool))) as commands:
        return asyncio.run(keep_connected(settings, key, journal, commands, tail))


def run_once(command: str, argv: Sequence[str]) -> int:
    from tms_agent.subcommands import SUBCOMMANDS  # would stay in the memory of the agent, which needs none of them

    return SUBCOMMANDS[command](argv)


def warnings_of(settings: Settings) -> Iterator[str]:
    yield from settings.warnings
    if sends_secrets_in_the_clear(settings.url):
        yield "ws:// carries the credential unencrypted; use wss:// except for tests"


async def keep_connected(
    settings: Settings, key: PlainCredential, journal: SqliteJournal, commands: CommandJournal, tail: LogTail
) -> int:
    identity, systemd = Identity(settings.identity, settings.software), Systemd()
    spool = Spool(JournalWriter(journal, asyncio.get_running_loop().call_later))
    await identity.run_commands()
    status = Status(waiting=lambda: len(spool))

    def changed(state: AgentState) -> None:
        remember(state, journal)
        status.changed(state)
        systemd.send(f"STATUS={status.report().sentences[0]}")

    agent = Agent(
        settings.url,
        key,
        source=Machine(
            tail=tail,
            allows_reboot=settings.allow_reboot,
            log_files=settings.log_files,
            screenshot_command=settings.screenshot_command,
            own=OwnCommands(settings.handlers, Log(key.uid)),
            identity=identity,
            probes=settings.probes,
        ),
        spool=spool,
        commands=commands,
        options=Options(
            interval_s=settings.interval_s,
            network=settings.network,
            management=management_of(settings.changes, journal.path.parent),
            # Nobody sees a service end, and it would be started again at once.
            ends_when_refused=not journal.was_accepted and not systemd.is_there,
        ),
        on_change=changed,
    )
    log.info("reports wait in %s until they are acknowledged", journal.path)
    on_signals(agent.stop)
    async with answering(socket_of(journal.path), status), systemd.watching():
        goodbye = await agent.run()
    log.info("stopped, %s reports wait for the next start", len(agent.spool))
    return finish(agent, goodbye, settings.reboot_command)


def finish(agent: Agent, goodbye: frames.GoodbyeFrame | None, reboot_command: Sequence[str]) -> int:
    if goodbye is None and agent.state.refused:
        return MISUSED
    try:
        if goodbye and goodbye.reason == "reboot":
            reboot(reboot_command)
        elif goodbye and goodbye.reason == "update" and agent.restart_command:
            subprocess.run(agent.restart_command, check=True)
    except (OSError, subprocess.CalledProcessError) as error:
        log.error("the machine did not restart: %s", error)
        return FAILED
    return DONE


def commands_file(spool: Path) -> Path:
    return spool.with_name(f"{spool.name}.commands")


def remember(state: AgentState, journal: SqliteJournal) -> None:
    if state.is_connected:
        journal.remember_accepted()
        trial.confirm()


def start_log(*, is_verbose: bool) -> LogTail:
    tail, screen = LogTail(), logging.StreamHandler()
    for handler in (tail, screen):
        handler.setFormatter(OneLineFormatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
    log.setLevel(logging.DEBUG if is_verbose else logging.INFO)
    log.propagate = False
    return tail


def on_signals(stop: Callable[[], None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))


if __name__ == "__main__":
    sys.exit(main())
