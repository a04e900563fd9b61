"""Reads single values: typed ones from TOML, or text from the environment and the command line.

A reader takes the value and the folder that relative paths are in. It raises ValueError with what would be right.
"""

import math
import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from tms_agent.connection.addresses import is_loopback

LINK_PATH = "/ws/terminal/"
LINK_SCHEMES = {"wss": "wss", "https": "wss", "ws": "ws", "http": "ws"}
MIN_INTERVAL_S, MAX_INTERVAL_S = 1.0, 3600.0
MAX_LOG_FILES = 5
NO_PROXY = "none"
SWITCHES = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}

Read = Callable[[Any, Path], Any]


class Fault(ValueError):
    """What is wrong with a member of a table; `name` is its name in the table."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


def text(value: Any, folder: Path) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"{shown(value)}: expected a text")
    return value.strip()


def secret(value: Any, folder: Path) -> str:
    """Never shown in an error."""
    if not isinstance(value, str) or not value.strip():
        raise ValueError("expected a text")
    return value.strip()


def switch(value: Any, folder: Path) -> bool:
    if isinstance(value, str):
        value = SWITCHES.get(value.strip().lower(), value)
    if not isinstance(value, bool):
        raise ValueError(f"{shown(value)}: expected true or false")
    return value


def interval(value: Any, folder: Path) -> float:
    return seconds(value, at_least=MIN_INTERVAL_S, at_most=MAX_INTERVAL_S)


def seconds(value: Any, *, at_least: float, at_most: float) -> float:
    try:
        given = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        given = math.nan
    if not at_least <= given <= at_most:
        raise ValueError(f"{shown(value)}: expected a number of seconds from {at_least:.0f} to {at_most:.0f}")
    return given


def path(value: Any, folder: Path) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value:
        raise ValueError(f"{shown(value)}: expected a path")
    return folder / Path(value).expanduser()


def log_files(value: Any, folder: Path) -> Sequence[Path]:
    given = value.split(os.pathsep) if isinstance(value, str) else value
    if not isinstance(given, list):
        raise ValueError(f"{shown(value)}: expected a list of paths")
    if len(given) > MAX_LOG_FILES:
        raise ValueError(f"TMS takes at most {MAX_LOG_FILES} files of a command")
    return [path(one, folder) for one in given]


def command(value: Any, folder: Path) -> Sequence[str]:
    """The words of a command, which no shell interprets."""
    words = shlex.split(value) if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(word, str) and word for word in words):
        raise ValueError(f'{shown(value)}: expected a command as a list of words, such as ["/usr/bin/scrot", "-o"]')
    return words


def screenshot_command(value: Any, folder: Path) -> Sequence[str]:
    words = command(value, folder)
    if not any("{path}" in word for word in words[1:]):
        raise ValueError("expected {path} where the command takes the file to write")
    return words


def link_url(value: Any, folder: Path) -> str:
    """The URL of the link; that of TMS is enough. Faults do not show it if it contains a secret."""
    given = text(value, folder)
    parts = split_url(given)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must not contain a credential; use credential_file")
    if parts.scheme not in LINK_SCHEMES or not parts.hostname or parts.port == 0:
        raise ValueError(f"{given}: expected https://HOST or wss://HOST{LINK_PATH}; http:// and ws:// only for tests")
    found = LINK_PATH if parts.path in ("", "/") else parts.path
    return parts._replace(scheme=LINK_SCHEMES[parts.scheme], path=found).geturl()


def proxy_url(value: Any, folder: Path) -> str:
    """Empty for none."""
    given = text(value, folder)
    if given == NO_PROXY:
        return ""
    parts = split_url(given)
    if parts.scheme != "http" or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise ValueError(f"expected http://HOST:PORT, or {NO_PROXY} to use no proxy")
    return given


def split_url(given: str) -> SplitResult:
    """Raises ValueError, also for a port that is out of range."""
    try:
        parts = urlsplit(given)
        _ = parts.port
    except ValueError as error:
        raise ValueError("not a URL" if "@" in given else f"{given}: {error}") from None
    return parts


def sends_secrets_in_the_clear(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "ws" and not is_loopback(parts.hostname or "")


def shown(value: Any) -> str:
    """A value of TOML as in a message, on one line and short."""
    plain = value if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else repr(value)
    return "".join(char if char.isprintable() else "?" for char in plain[:100])
