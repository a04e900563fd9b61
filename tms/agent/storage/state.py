"""What a caller may know of an agent."""

from dataclasses import dataclass
from enum import StrEnum


class AgentPhase(StrEnum):
    STOPPED = "stopped"
    DIALLING = "dialling"
    CONNECTED = "connected"
    WAITING = "waiting"
    """For the next try."""


@dataclass(frozen=True, slots=True)
class AgentState:
    phase: AgentPhase = AgentPhase.STOPPED
    boot_id: str = ""
    session: int = 0
    """The number that TMS gave to the last link."""
    acked_seq: int = 0
    refused: str = ""
    """Why TMS does not take the credential; empty as long as it does."""

    @property
    def is_connected(self) -> bool:
        return self.phase is AgentPhase.CONNECTED
