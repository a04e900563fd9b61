"""The state of an agent, as its caller may know it."""

from dataclasses import dataclass
from enum import Enum


class AgentPhase(Enum):
    STOPPED = "stopped"
    DIALLING = "dialling"
    CONNECTED = "connected"
    WAITING = "waiting"
    """Nothing happens until the next attempt."""


@dataclass(frozen=True, slots=True)
class AgentState:
    phase: AgentPhase = AgentPhase.STOPPED
    boot_id: str = ""
    session: int = 0
    """The number that TMS gave to the last link."""
    acked_seq: int = 0
    refused: str = ""
    """Why TMS rejects the credential; empty while it does not."""
    last_error: str = ""
    """Why the last link, or the last attempt, ended."""

    @property
    def is_connected(self) -> bool:
        return self.phase is AgentPhase.CONNECTED
