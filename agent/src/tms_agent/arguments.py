"""The command line of `tms-agent`. Each error is one line: what is wrong, where, and what is expected."""

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

from tms_agent.connection.dialer import agent_name, is_loopback
from tms_agent.protocol import credential
from tms_agent.protocol.credential import PlainCredential

CREDENTIAL_VARIABLE = "TMS_AGENT_CREDENTIAL"
LINK_PATH = "/ws/terminal/"
MAX_LOG_FILES = 5
MIN_INTERVAL_S, MAX_INTERVAL_S = 1.0, 3600.0

EPILOG = f"""
The credential, UID.SECRET, is what enrolment printed once. Prefer {CREDENTIAL_VARIABLE} or --credential-file:
other users of this machine can read a command line.

A credential that TMS refuses ends the agent with exit code 2 if it never worked with this spool. One that
worked before is tried again every 5 to 10 minutes, for it may be rotated or reinstated. SIGTERM and Ctrl-C
say goodbye to TMS and end the agent with exit code 0; what was not acknowledged is sent after the next start.
"""


class UsageError(Exception):
    """One line for the person who started the agent."""


@dataclass(frozen=True, slots=True)
class Choices:
    url: str
    credential: PlainCredential
    spool: Path
    interval_s: float | None
    allows_reboot: bool
    log_files: Sequence[Path]
    screenshot_command: Sequence[str]
    handlers: Path | None
    is_verbose: bool


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UsageError(message)


def parse(argv: Sequence[str] | None) -> Choices:
    """Raises UsageError."""
    given = parser().parse_args(argv)
    key = find_credential(given.credential, given.credential_file)
    return Choices(
        url=link_url(given.url),
        credential=key,
        spool=given.spool or state_folder() / f"{key.uid}.spool",
        interval_s=given.interval,
        allows_reboot=given.allow_reboot,
        log_files=log_files(given.log_file),
        screenshot_command=screenshot_command(given.screenshot_command),
        handlers=given.handlers,
        is_verbose=given.verbose,
    )


def parser() -> Parser:
    options = Parser(
        prog="tms-agent",
        description="Connects this machine to TMS as a terminal, and reports on it.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument("--url", required=True, help=f"URL of TMS, for example wss://tms.example.com{LINK_PATH}")
    options.add_argument("--credential", metavar="UID.SECRET", help="credential of this terminal")
    options.add_argument("--credential-file", metavar="PATH", type=Path, help="file that contains only the credential")
    options.add_argument("--spool", metavar="PATH", type=Path, help="file for reports that are not acknowledged yet")
    options.add_argument("--interval", metavar="S", type=interval, help="seconds between reports; default: set by TMS")
    options.add_argument("--allow-reboot", action="store_true", help="let TMS reboot this machine")
    options.add_argument(
        "--log-file",
        metavar="PATH",
        type=Path,
        action="append",
        default=[],
        help="a log that TMS may fetch; repeatable",
    )
    options.add_argument(
        "--screenshot-command",
        metavar="COMMAND",
        default="",
        help="writes a PNG to {path}, for example 'scrot -o {path}'",
    )
    options.add_argument("--handlers", metavar="PATH", type=Path, help="folder of executables that are commands")
    options.add_argument("--verbose", "-v", action="store_true", help="log more")
    options.add_argument("--version", action="version", version=agent_name())
    return options


def link_url(url: str) -> str:
    """`url` with the path of the link if it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UsageError(f"--url {url}: {error}") from None
    if parts.scheme not in ("ws", "wss") or not parts.hostname or port == 0:
        raise UsageError(f"--url {url}: expected wss://HOST{LINK_PATH}, or ws:// on this machine and for tests")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError("--url: must not contain a credential; use --credential-file")
    return parts._replace(path=LINK_PATH if parts.path in ("", "/") else parts.path).geturl()


def sends_secrets_in_the_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "ws" and not is_loopback(parts.hostname or "")


def find_credential(given: str | None, file: Path | None) -> PlainCredential:
    if given and file:
        raise UsageError("--credential and --credential-file: use only one of them")
    text, where = given or os.environ.get(CREDENTIAL_VARIABLE, ""), "--credential" if given else CREDENTIAL_VARIABLE
    if file:
        text, where = read_text(file), f"--credential-file {file}"
    if not text.strip():
        raise UsageError(f"no credential: set --credential-file, {CREDENTIAL_VARIABLE} or --credential")
    key = credential.parse(text.strip())
    if key is None:
        raise UsageError(f"{where}: not a credential; expected UID.SECRET as printed at enrolment")
    return key


def log_files(given: Sequence[Path]) -> Sequence[Path]:
    if len(given) > MAX_LOG_FILES:
        raise UsageError(f"--log-file: TMS takes at most {MAX_LOG_FILES} files of a command")
    return given


def screenshot_command(given: str) -> Sequence[str]:
    try:
        command = shlex.split(given)
    except ValueError as error:
        raise UsageError(f"--screenshot-command: {error}") from None
    if command and not any("{path}" in part for part in command[1:]):
        raise UsageError("--screenshot-command: expected {path} where the command takes the file to write")
    return command


def read_text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except UnicodeDecodeError:
        return "not a credential"
    except OSError as error:
        raise UsageError(f"--credential-file {file}: {error.strerror}") from None


def interval(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not MIN_INTERVAL_S <= seconds <= MAX_INTERVAL_S:
        raise argparse.ArgumentTypeError(
            f"{text}: expected a number of seconds from {MIN_INTERVAL_S:.0f} to {MAX_INTERVAL_S:.0f}"
        )
    return seconds


def state_folder() -> Path:
    """The directory for persistent data on this platform."""
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "tms-agent"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tms-agent"
    if os.geteuid() == 0:
        return Path("/var/lib/tms-agent")
    return Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "tms-agent"
