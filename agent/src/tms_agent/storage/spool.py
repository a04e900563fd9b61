"""Unacknowledged reports: bounded, in order, and on disk if there is a journal.

Memory is authoritative and the journal its copy: a full disk is worth reporting, and must not prevent the report.
Nothing here depends on the system clock: reports are by boot clocks, in chronological order.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile
from typing import NamedTuple, Protocol

from tms_agent.device.clock import Anchor, dated
from tms_agent.protocol import frames, json_text
from tms_agent.protocol.reader import Reader

log = logging.getLogger("tms_agent")

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


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a spool holds: by default more than two hours of one report per second, or three days of one in 30 s."""

    reports: int = 10_000
    bytes: int = 16 * 1024 * 1024


class JournalError(Exception):
    """The disk rejected it; the message gives the reason."""


class Journal(Protocol):
    """The copy on disk, which survives the process."""

    def load(self) -> Iterable[SpooledReport]:
        """Every entry, oldest first."""

    def load_anchors(self) -> Iterable[Anchor]:
        """One for each boot clock that was compared with TMS's time."""

    def write(self, added: Sequence[SpooledReport], removed: Sequence[int], anchors: Sequence[Anchor]) -> None:
        """Add entries, remove positions and replace anchors, all or nothing. Raises JournalError."""


class Spool:
    """When full, it thins the oldest reports without events, then drops the oldest events."""

    def __init__(self, journal: Journal | None = None, bounds: Bounds = Bounds()) -> None:
        self.bounds = bounds
        self.thinned = 0
        self.dropped = 0
        """Dropped reports that had events: the loss that matters."""
        self._journal = journal
        self._entries = {entry.position: entry for entry in (journal.load() if journal else ())}
        self._bytes = sum(entry.size for entry in self._entries.values())
        self._last_position = max(self._entries, default=0)
        self._unwritten: dict[int, SpooledReport] = {}
        self._unremoved: list[int] = []
        self.anchors = {anchor.clock: anchor for anchor in (journal.load_anchors() if journal else ())}
        """The anchors by clock."""
        self._unwritten_anchors: dict[str, Anchor] = {}
        self._is_failing = False

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[SpooledReport]:
        """Oldest first."""
        return iter(self._entries.values())

    def append(self, boot_id: str, report: frames.ReportFrame, *, clock: str = "") -> None:
        """The instants in `report` are by `clock`."""
        self._last_position += 1
        body = json_text.encode(report.as_json())
        self._add(
            SpooledReport(
                self._last_position,
                boot_id,
                report.seq,
                report.at.timestamp() if report.at else 0.0,
                bool(report.events),
                body,
                clock,
            )
        )
        self._make_room()
        self._write()

    def set_anchor(self, anchor: Anchor) -> None:
        """TMS sent its time: entries of this clock can be dated from now on, and earlier dates are corrected."""
        self.anchors[anchor.clock] = self._unwritten_anchors[anchor.clock] = anchor
        self._write()

    def is_dated(self, entry: SpooledReport) -> bool:
        """Whether the time of the report is known. The same for all reports of a boot."""
        return not entry.clock or entry.clock in self.anchors

    def report_of(self, entry: SpooledReport) -> frames.ReportFrame:
        """The report as sent: by TMS's time, or without instants if their time is unknown."""
        return dated(entry.report, self.anchors.get(entry.clock)) if entry.clock else entry.report

    def after(self, position: int, *, limit: int, undated: bool = True) -> list[SpooledReport]:
        """The oldest entries beyond `position`, with or without those that cannot be dated."""
        later = (entry for entry in self if entry.position > position and (undated or self.is_dated(entry)))
        return list(islice(later, max(0, limit)))

    def count_until(self, position: int, *, undated: bool = True) -> int:
        known = takewhile(lambda entry: entry.position <= position, self)
        return sum(1 for entry in known if undated or self.is_dated(entry))

    def acknowledge(self, boot_id: str, seq: int) -> None:
        """Delete the reports of `boot_id` up to `seq`."""
        reports = (entry for entry in self if entry.boot_id == boot_id)
        self.discard([entry.position for entry in takewhile(lambda entry: entry.seq <= seq, reports)])

    def discard(self, positions: Sequence[int]) -> None:
        if positions:
            self._remove(positions)
            self._write()

    def _add(self, entry: SpooledReport) -> None:
        self._entries[entry.position] = entry
        self._unwritten[entry.position] = entry
        self._bytes += entry.size

    def _remove(self, positions: Iterable[int]) -> None:
        for position in positions:
            self._bytes -= self._entries.pop(position).size
            if self._unwritten.pop(position, None) is None:
                self._unremoved.append(position)

    def _make_room(self) -> None:
        while len(self) > self.bounds.reports or self._bytes > self.bounds.bytes:
            readings = [entry.position for entry in self if not entry.has_events]
            if readings:
                # Every second report of the older half: the longer an outage, the coarser the record of its beginning.
                dropped = readings[: (len(readings) + 1) // 2 : 2]
                self.thinned += len(dropped)
            else:
                dropped = [next(iter(self._entries))]
                self.dropped += 1
            self._remove(dropped)

    def _write(self) -> None:
        """Write what the disk does not have yet, including earlier attempts that failed."""
        try:
            if self._journal:
                self._journal.write(
                    list(self._unwritten.values()), self._unremoved, list(self._unwritten_anchors.values())
                )
        except JournalError as error:
            if not self._is_failing:
                log.error("reports are kept in memory only until the spool can be written again: %s", error)
            self._is_failing = True
            return
        if self._is_failing:
            log.info("the spool is written again")
        self._is_failing = False
        self._unwritten.clear()
        self._unremoved.clear()
        self._unwritten_anchors.clear()
