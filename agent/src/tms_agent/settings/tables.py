"""Reads the settings that are tables: sources of the identity, and probes."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from tms_agent.device.command_probes import ProbeChoices, ProbeCommand
from tms_agent.device.identity import IdentitySource
from tms_agent.device.probes import NAMES
from tms_agent.protocol.limits import METRICS_PER_REPORT, NAME_LENGTH
from tms_agent.reports import METRIC_NAME
from tms_agent.settings import values
from tms_agent.settings.values import Fault

MAX_COMMANDS = METRICS_PER_REPORT - len(NAMES) - 1
"""Room for what the agent measures itself, and the round trip of the link."""
OF_IDENTITY = ("file", "command", "hardware")
OF_PROBE = ("command", "every_s", "timeout_s")
LONGEST_TIMEOUT_S = 300.0


def identity_source(value: Any, folder: Path) -> IdentitySource:
    if isinstance(value, str):
        return IdentitySource(text=values.text(value, folder)[:NAME_LENGTH])
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError("expected a text, or a table with one of file, command and hardware")
    check_names(value, OF_IDENTITY)
    if "file" in value:
        return IdentitySource(file=member(value, "file", values.path, folder))
    if "command" in value:
        return IdentitySource(command=member(value, "command", values.command, folder))
    if value["hardware"] is not True:
        raise Fault("hardware", "expected true")
    return IdentitySource(is_hardware=True)


def probes(value: Any, folder: Path) -> ProbeChoices:
    if not isinstance(value, dict):
        raise ValueError("expected a table")
    switched = {name: one for name, one in value.items() if not isinstance(one, dict)}
    for name, one in switched.items():
        check_names((name,), NAMES)
        if not isinstance(one, bool):
            raise Fault(name, f"{values.shown(one)}: expected false, or a table with a command")
    commands = {name: probe_command(name, one, folder) for name, one in value.items() if isinstance(one, dict)}
    if len(commands) > MAX_COMMANDS:
        raise ValueError(f"{len(commands)} commands: a report has room for {MAX_COMMANDS}")
    off = {name for name, is_on in switched.items() if not is_on} | commands.keys()
    return ProbeChoices(frozenset(off), commands)


def probe_command(name: str, given: Mapping[str, Any], folder: Path) -> ProbeCommand:
    if not METRIC_NAME.fullmatch(name):
        raise Fault(name, "a reading is named by up to 64 of a-z, 0-9, _ and ., beginning with a letter")
    try:
        check_names(given, OF_PROBE)
        if "command" not in given:
            raise ValueError("command is missing")
        words = member(given, "command", values.command, folder)
        every_s = member(given, "every_s", values.interval, folder) if "every_s" in given else 60.0
        timeout_s = member(given, "timeout_s", _timeout, folder) if "timeout_s" in given else 10.0
    except Fault as fault:
        raise Fault(f"{name}.{fault.name}", str(fault)) from None
    except ValueError as error:
        raise Fault(name, str(error)) from None
    return ProbeCommand(words, every_s, timeout_s)


def member(given: Mapping[str, Any], name: str, read: values.Read, folder: Path) -> Any:
    try:
        return read(given[name], folder)
    except ValueError as error:
        raise Fault(name, str(error)) from None


def check_names(given: Collection[str], known: Collection[str]) -> None:
    """Raises Fault for the first unknown name."""
    for name in given:
        if name not in known:
            raise Fault(name, f"unknown; {suggestion(name, known)}")


def suggestion(name: str, known: Collection[str]) -> str:
    """The known name that is meant: by its last part, or by its spelling."""
    from difflib import get_close_matches  # most agents never need it

    last = name.rpartition(".")[2]
    by_last = {one.rpartition(".")[2]: one for one in sorted(known, key=len, reverse=True)}
    near = get_close_matches(name, sorted(known), n=1) or [
        by_last[one] for one in get_close_matches(last, by_last, n=1)
    ]
    meant = by_last.get(last) or next(iter(near), None)
    return f"did you mean {meant}?" if meant else f"known are {', '.join(sorted(known))}"


def _timeout(value: Any, folder: Path) -> float:
    return values.seconds(value, at_least=1, at_most=LONGEST_TIMEOUT_S)
