"""One report that waits for its acknowledgement."""

from typing import NamedTuple

from tms_agent.protocol import frames, json_text
from tms_agent.protocol.reader import Reader

ENTRY_OVERHEAD = 200
"""Bytes of an entry beside its body, about the same in memory and on disk."""


class SpooledReport(NamedTuple):
    """One report. `position` rises in chronological order, across boots."""

    position: int
    boot_id: str
    seq: int
    at: float
    """The report's own instant, by its clock."""
    has_events: bool
    body: bytes
    clock: str = ""
    """Id of the boot clock of its instants; empty if they are absolute."""

    @property
    def size(self) -> int:
        return len(self.body) + ENTRY_OVERHEAD

    @property
    def report(self) -> frames.ReportFrame:
        return frames.ReportFrame.read(Reader(json_text.decode(self.body)))
