"""The command line of `tms-agent`: what is given there, by the key of the setting."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from tms_agent.connection.dialer import agent_name
from tms_agent.settings import settings
from tms_agent.settings.errors import UsageError
from tms_agent.settings.folders import default_config
from tms_agent.settings.settings import CREDENTIAL_VARIABLE, Given, Settings

DONE, FAILED, MISUSED = 0, 1, 2
COMMANDS = ("run", "enrol", "doctor", "status", "install", "supervise")

EPILOG = f"""
Other commands, each with --help: tms-agent enrol, to get a credential; doctor, which says what is wrong; status, of
the agent that runs; install, as a service.

Each option is also a key of the configuration file and a variable of the environment: --interval is interval_s
there and TMS_AGENT_INTERVAL_S here. docs/agent.md has all of them. Options win over variables, variables over the
file.

The credential, UID.SECRET, is what enrolment printed once. Prefer {CREDENTIAL_VARIABLE} or --credential-file:
other users of this machine can read a command line.

A credential that TMS refuses ends the agent with exit code 2 if it never worked with this spool. One that
worked before is tried again every 5 to 10 minutes, for it may be rotated or reinstated. SIGTERM and Ctrl-C
say goodbye to TMS and end the agent with exit code 0; what was not acknowledged is sent after the next start.
"""


class Option(NamedTuple):
    flag: str
    key: str
    help: str
    how: Mapping[str, Any] = {}


OPTIONS = (
    Option("--url", "url", "URL of TMS, for example https://tms.example.com", {"metavar": "URL"}),
    Option("--credential", "credential", "credential of this terminal", {"metavar": "UID.SECRET"}),
    Option("--credential-file", "credential_file", "file that contains only the credential", {"metavar": "PATH"}),
    Option("--spool", "spool", "file for reports that are not acknowledged yet", {"metavar": "PATH"}),
    Option("--interval", "interval_s", "seconds between reports; default: set by TMS", {"metavar": "S"}),
    Option("--allow-reboot", "allow_reboot", "let TMS reboot this machine", {"action": "store_true", "default": None}),
    Option("--log-file", "log_files", "a log that TMS may fetch; repeatable", {"metavar": "PATH", "action": "append"}),
    Option(
        "--screenshot-command",
        "screenshot_command",
        "writes a PNG to {path}, for example 'scrot -o {path}'",
        {"metavar": "COMMAND"},
    ),
    Option("--handlers", "handlers", "folder of executables that are commands", {"metavar": "PATH"}),
)
VERBOSE = Option("--verbose", "verbose", "log more", {"action": "store_true", "default": None})


class CommandLine:
    """The source of what is given on it."""

    folder = Path()
    _flags = {option.key: option.flag for option in (*OPTIONS, VERBOSE)}

    def where(self, key: str) -> str:
        return self._flags[key]


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def parse(argv: Sequence[str]) -> Settings:
    """The settings of `tms-agent run`. Raises UsageError."""
    return settings_of(parser().parse_args(argv))


def parser() -> Parser:
    made = new_parser("run", "Connects this machine to TMS as a terminal, and reports on it.", epilog=EPILOG)
    add_settings(made)
    return made


def new_parser(command: str, description: str, *, epilog: str = "") -> Parser:
    made = Parser(
        prog="tms-agent" if command == "run" else f"tms-agent {command}",
        description=description,
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    made.add_argument("--version", action="version", version=agent_name())
    made.add_argument(
        "--config", metavar="PATH", type=Path, help=f"the configuration file; default: {default_config()} if it exists"
    )
    return made


def add_settings(to: Parser, *, only: Sequence[str] = ()) -> None:
    for option in OPTIONS:
        if not only or option.key in only:
            to.add_argument(option.flag, dest=option.key, help=option.help, **option.how)
    to.add_argument(VERBOSE.flag, "-v", dest=VERBOSE.key, help=VERBOSE.help, **VERBOSE.how)


def settings_of(given: argparse.Namespace, *, makes_file: bool = False) -> Settings:
    """Raises UsageError."""
    line = CommandLine()
    named = {option.key: getattr(given, option.key, None) for option in (*OPTIONS, VERBOSE)}
    options = {key: Given(value, line) for key, value in named.items() if value is not None}
    return settings.load(options, given.config, makes_file=makes_file)
