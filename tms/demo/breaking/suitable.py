"""Which kinds of terminals can have a fault. Needs no Django."""

from collections.abc import Mapping

from tms.demo.breaking.messages import FaultKind
from tms.demo.personality import WITH_PAPER, WITH_READER

SIMULATED = frozenset({"payment", "kiosk", "gate", "signage", "tablet"})
"""All kinds but the computer that TMS runs on, which is a real terminal."""
WITH_PART: Mapping[FaultKind, frozenset[str]] = {
    FaultKind.USE_UP_PAPER: WITH_PAPER,
    FaultKind.JAM_READER: WITH_READER,
}


def kinds_of(fault: FaultKind) -> frozenset[str]:
    return WITH_PART.get(fault, SIMULATED)
