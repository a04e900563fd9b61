"""Reads the settings that are tables: sources of the identity, and probes."""

import base64
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tms_agent.device.command_probes import ProbeChoices, ProbeCommand
from tms_agent.device.identity import IdentitySource
from tms_agent.device.probes import NAMES
from tms_agent.protocol.limits import METRICS_PER_REPORT, NAME_LENGTH, SOFTWARE
from tms_agent.reports import METRIC_NAME
from tms_agent.settings import values
from tms_agent.settings.values import Fault
from tms_agent.updating.programs import Programs

MAX_COMMANDS = METRICS_PER_REPORT - len(NAMES) - 1
"""Room for what the agent measures itself, and the round trip of the link."""
OF_IDENTITY = ("file", "command", "hardware")
OF_FORMAT = ("install", "confirm", "roll_back", "restart")
KEY_BYTES = 32
OF_PROBE = ("command", "every_s", "timeout_s")
LONGEST_TIMEOUT_S = 300.0


@dataclass(frozen=True, slots=True)
class ChangeSettings:
    """What TMS may change on this terminal beside running commands."""

    apply_command: Sequence[str] = ()
    keys: Mapping[str, bytes] = field(default_factory=dict)
    """Ed25519 public keys, by their names."""
    formats: Mapping[str, Programs] = field(default_factory=dict)
    own_versions: bool = False
    may_begin: Sequence[str] = ()


def changes(found: Mapping[str, Any]) -> ChangeSettings:
    """The settings of these keys."""
    return ChangeSettings(
        tuple(found.get("configuration.apply_command", ())),
        found.get("update.keys", {}),
        found.get("update.formats", {}),
        found.get("update.own_versions", False),
        tuple(found.get("update.may_begin", ())),
    )


def update_keys(value: Any, folder: Path) -> Mapping[str, bytes]:
    if not isinstance(value, dict) or not value:
        raise ValueError("expected a table with at least one key")
    return {name: member(value, name, _public_key, folder) for name in value}


def update_formats(value: Any, folder: Path) -> Mapping[str, Programs]:
    if not isinstance(value, dict):
        raise ValueError("expected a table")
    return {name: _programs(name, one, folder) for name, one in value.items()}


def _public_key(value: Any, folder: Path) -> bytes:
    wrong = ValueError(f"expected an Ed25519 public key: {KEY_BYTES} bytes in Base64")
    try:
        key = base64.b64decode(values.text(value, folder), validate=True)
    except ValueError:
        raise wrong from None
    if len(key) != KEY_BYTES:
        raise wrong
    return key


def _programs(name: str, given: Any, folder: Path) -> Programs:
    if not isinstance(given, dict):
        raise Fault(name, "expected a table")
    try:
        check_names(given, OF_FORMAT)
        if "install" not in given:
            raise ValueError("install is missing")
        commands = {each: tuple(member(given, each, values.command, folder)) for each in given}
    except Fault as fault:
        raise Fault(f"{name}.{fault.name}", str(fault)) from None
    except ValueError as error:
        raise Fault(name, str(error)) from None
    if not any("{path}" in word for word in commands["install"]):
        raise Fault(f"{name}.install", "expected {path} where the command takes the file")
    return Programs(*(commands.get(each, ()) for each in OF_FORMAT))


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


def software(value: Any, folder: Path) -> Mapping[str, IdentitySource]:
    """Versions of what is installed beside the firmware, by name."""
    if not isinstance(value, dict):
        raise ValueError("expected a table")
    if len(value) > SOFTWARE:
        raise ValueError(f"{len(value)} names; at most {SOFTWARE}")
    if wrong := next((name for name in value if not 1 <= len(name) <= NAME_LENGTH or not name.isprintable()), None):
        raise Fault(wrong, f"expected a name of 1 to {NAME_LENGTH} characters")
    return {name: member(value, name, _software_source, folder) for name in value}


def _software_source(value: Any, folder: Path) -> IdentitySource:
    source = identity_source(value, folder)
    if source.is_hardware:
        raise Fault("hardware", "expected file, command or a text")
    return source


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
