"""The seed's file for the simulator: the demo fleet with its credentials in plain text. Needs no Django."""

from datetime import datetime
from pathlib import Path

import msgspec


class DemoTerminal(msgspec.Struct, frozen=True):
    """A terminal of the demo fleet with its credential in plain text, for the simulator."""

    uid: str
    site: str
    kind: str
    model: str
    firmware: str
    serial: str
    credential: str


class StartCondition(msgspec.Struct, frozen=True):
    """How a terminal of a new demo begins."""

    back_at: datetime | None = None
    """It has no link until then."""
    paper_pct: float | None = None


class Fleet(msgspec.Struct):
    terminals: list[DemoTerminal]
    this_machine: str
    """The credential of the real agent."""
    start_conditions: dict[str, StartCondition] = {}
    """Start conditions by UID; only those of terminals that begin in an unusual way."""
    update_keys: dict[str, str] = {}
    """The public keys that simulated devices trust, in Base64."""


def read(path: Path) -> Fleet:
    return msgspec.json.decode(path.read_bytes(), type=Fleet) if path.exists() else Fleet([], "")


def write(path: Path, fleet: Fleet) -> None:
    """Readable by its owner only."""
    path.touch(mode=0o600, exist_ok=True)
    path.write_bytes(msgspec.json.encode(fleet))
