"""`tms-agent install`: makes the agent a service of systemd."""

import os
import subprocess
import sys
from pathlib import Path

from tms_agent.service.unit import FOLDER, NAME, Program, unit
from tms_agent.settings.errors import UsageError
from tms_agent.settings.folders import default_config
from tms_agent.settings.settings import Settings

RUNNING = Path("/run/systemd/system")
"""A folder that exists where systemd is the service manager (sd_booted(3))."""
HOMES = (Path("/home"), Path("/root"))


def text_of(settings: Settings) -> str:
    """The unit. Raises UsageError if the service could not run with these settings."""
    executable = this_program()
    for program in (executable, Path(sys.executable)):
        if any(home in program.resolve().parents for home in HOMES):
            raise UsageError(f"{program} is in a home folder, which a service cannot read; use /opt or /usr")
    if settings.config is None:
        raise UsageError(f"no configuration file: write {default_config()}, or name one with --config")
    file = settings.credential_file
    if file is None:
        raise UsageError("no credential_file: the service reads the credential from a file; tms-agent enrol makes one")
    command = "supervise" if settings.changes.own_versions else "run"
    return unit(Program(executable, settings.config.absolute(), file.absolute(), command))


def this_program() -> Path:
    """The path under which it was started, which an update of Python or of the package does not change."""
    started = Path(sys.argv[0])
    beside = Path(sys.executable).with_name("tms-agent")
    return started.absolute() if started.name == "tms-agent" and started.exists() else beside


def can_install() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0 and RUNNING.exists()


def install(text: str, folder: Path = FOLDER) -> None:
    """Write the unit, start it, and start it at each boot. Raises OSError and CalledProcessError."""
    (folder / NAME).write_text(text, encoding="utf-8")
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "enable", NAME], check=True)
    subprocess.run(["systemctl", "restart", NAME], check=True)
