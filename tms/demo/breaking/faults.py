"""The faults that people can cause in the demo, and the kinds of terminals that can have each. Needs no Django."""

from collections.abc import Mapping
from enum import StrEnum

from tms.demo.personality import WITH_PAPER, WITH_READER


class FaultKind(StrEnum):
    CUT_SITE = "cut-site"
    """The line of a site, for five minutes."""
    HEAT = "heat"
    USE_UP_PAPER = "use-up-paper"
    JAM_READER = "jam-reader"
    CLONE = "clone"
    """Another device uses the credential of the terminal."""
    SWAP_DEVICE = "swap-device"
    """Another device takes the place of the terminal's, with its credential."""
    CRASH = "crash"


SIMULATED = frozenset({"payment", "kiosk", "gate", "signage", "tablet"})
"""All kinds but the computer that TMS runs on, which is a real terminal."""
WITH_PART: Mapping[FaultKind, frozenset[str]] = {
    FaultKind.USE_UP_PAPER: WITH_PAPER,
    FaultKind.JAM_READER: WITH_READER,
    FaultKind.SWAP_DEVICE: frozenset({"payment"}),
}
"""A default rule opens an alert for an unexpected device at payment terminals only."""


def kinds_of(fault: FaultKind) -> frozenset[str]:
    return WITH_PART.get(fault, SIMULATED)
