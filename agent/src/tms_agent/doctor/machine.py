"""Checks of this machine: clock, disk, permissions, packages, and whether an agent runs."""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from tms_agent.doctor.findings import Finding, fault, ok, warning
from tms_agent.release import RELEASED_AT
from tms_agent.service import status
from tms_agent.settings.folders import is_there
from tms_agent.settings.settings import Settings

WANTED_BYTES = 64 * 1024 * 1024
"""Room for a full spool, its log, and what else writes meanwhile."""
NEEDED_BYTES = 1024 * 1024


def check_clock(now: datetime) -> Iterator[Finding]:
    if now < RELEASED_AT:
        shown = f"{now:%Y-%m-%d %H:%M} UTC, before the date of this software"
        yield warning("clock", f"it shows {shown}: set it, or let NTP set it; TMS is reached all the same")


def check_spool(path: Path) -> Iterator[Finding]:
    folder = next(one for one in path.parents if is_there(one))
    if not os.access(folder, os.W_OK | os.X_OK):
        yield fault("spool", f"{folder} is not writable for this user: change its owner, or set spool")
        return
    free = shutil.disk_usage(folder).free
    if free < WANTED_BYTES:
        found = fault if free < NEEDED_BYTES else warning
        yield found("spool", f"{folder} has {free >> 10} KiB free: make room, or set spool to another disk")
    yield check_spool_file(path) if is_there(path) else ok("spool", f"{path} will be made")


def check_spool_file(path: Path) -> Finding:
    """SQLite gives what it has to write here the owner of the spool, also if root runs this."""
    try:
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=rw", uri=True, timeout=0)
    except sqlite3.Error as error:
        return fault("spool", f"{path}: {error}; set spool to the path of a spool or of a new file")
    try:
        damage = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            return ok("spool", f"{path} is in use by the running agent")
        return fault("spool", f"{path}: {error}; check the rights of the file")
    except sqlite3.DatabaseError as error:
        damage = str(error)
    finally:
        connection.close()
    if damage == "ok":
        return ok("spool", f"{path} is intact")
    return warning("spool", f"{path} is damaged ({damage}): the agent will keep it aside, and begin a new one")


def check_reboot(settings: Settings) -> Iterator[Finding]:
    if not settings.allow_reboot:
        yield ok("reboot", "TMS may not reboot this machine; allow_reboot = true would allow it")
        return
    command = settings.reboot_command[0] if settings.reboot_command else "shutdown"
    if shutil.which(command) is None:
        yield fault("reboot", f"{command} is not a program that this user can run; set reboot_command")
    elif not settings.reboot_command and sys.platform != "win32" and os.geteuid() != 0:
        yield warning("reboot", "shutdown may need root; see docs/agent.md for ways to allow it, and reboot_command")
    else:
        yield ok("reboot", f"TMS may reboot this machine, with {command}")


def check_packages() -> Iterator[Finding]:
    if find_spec("psutil") is None:
        missing = "processor, memory, temperature and network are not measured"
        yield warning("packages", f"psutil is not installed: {missing}; pip install 'tms-agent[full]'")


def check_agent(spool: Path) -> Finding:
    try:
        report = status.ask(status.socket_of(spool))
    except PermissionError:
        return warning("agent", "this user cannot see whether an agent runs; use that of the agent, or root")
    if report is None:
        return ok("agent", "no agent runs with this spool")
    return (ok if report.is_connected else warning)("agent", "; ".join(report.sentences))
