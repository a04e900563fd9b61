"""Unacknowledged reports: bounded, in order, and on disk if there is a journal.

Memory is authoritative and the journal its copy: a full disk is worth reporting, and must not prevent the report.
Nothing here depends on the system clock: reports are by boot clocks, in chronological order.
"""

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, takewhile

from tms_agent.device.clock import Anchor, dated
from tms_agent.protocol import frames, json_text
from tms_agent.storage.entry import SpooledReport
from tms_agent.storage.writer import JournalWriter

THINNED_AT_ONCE = 4
"""A full spool gives up every fourth reading at once: the search costs as much for one."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a spool holds: by default more than two hours of one report per second, or three days of one in 30 s.

    Longer outages are held with gaps, which grow with age.
    """

    reports: int = 10_000
    bytes: int = 16 * 1024 * 1024


class Spool:
    """When full, it thins reports without events, then drops the oldest events.

    Reports with events are on disk when `append` returns, others soon after.
    """

    def __init__(self, writer: JournalWriter | None = None, bounds: Bounds = Bounds()) -> None:
        self.bounds = bounds
        self.thinned = 0
        self.dropped = 0
        """Dropped reports that had events: the loss that matters."""
        self.anchors: dict[str, Anchor] = {}
        """The anchors by clock."""
        self._writer = writer
        self._entries: dict[int, SpooledReport] = {}
        self._readings: set[int] = set()
        """The positions of reports without events."""
        self._bytes = 0
        self._last_position = 0
        if writer:
            self._load(writer)

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[SpooledReport]:
        """Oldest first."""
        return iter(self._entries.values())

    def append(self, boot_id: str, report: frames.ReportFrame, *, clock: str = "") -> None:
        """The instants in `report` are by `clock`."""
        at = report.at.timestamp() if report.at else 0.0
        body = json_text.encode(report.as_json())
        entry = SpooledReport(self._last_position + 1, boot_id, report.seq, at, bool(report.events), body, clock)
        self._hold(entry)
        if self._writer:
            self._writer.add(entry)
        self._make_room()
        if entry.has_events:
            self.save()
        else:
            self._plan()

    def save(self) -> None:
        """Write to disk what is not there yet."""
        if self._writer:
            self._writer.save()

    def set_anchor(self, anchor: Anchor) -> None:
        """TMS sent its time: entries of this clock can be dated from now on, and earlier dates are corrected."""
        dates_what_waits = anchor.clock not in self.anchors and len(self) > 0
        self.anchors[anchor.clock] = anchor
        if self._writer:
            self._writer.set_anchor(anchor)
        if dates_what_waits:
            self.save()  # without it they would never be dated after a power cut
        else:
            self._plan()

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
            self._plan()

    def _load(self, writer: JournalWriter) -> None:
        self.anchors = {anchor.clock: anchor for anchor in writer.journal.load_anchors()}
        for entry in writer.journal.load():
            self._hold(entry)
            self._make_room()

    def _hold(self, entry: SpooledReport) -> None:
        self._entries[entry.position] = entry
        self._last_position = entry.position
        self._bytes += entry.size
        if not entry.has_events:
            self._readings.add(entry.position)

    def _remove(self, positions: Iterable[int]) -> None:
        for position in positions:
            self._bytes -= self._entries.pop(position).size
            self._readings.discard(position)
            if self._writer:
                self._writer.remove(position)

    def _make_room(self) -> None:
        while len(self) > self.bounds.reports or self._bytes > self.bounds.bytes:
            if self._readings:
                thinned = -(-len(self._readings) // THINNED_AT_ONCE)
                self._remove(heapq.nlargest(thinned, self._readings, key=self._dispensability))
                self.thinned += thinned
            else:
                self._remove([next(iter(self._entries))])
                self.dropped += 1

    def _dispensability(self, position: int) -> float:
        """The age of a reading in reports, divided by the largest power of two that divides its position.

        If the highest are given up, gaps are in proportion to age, whatever the interval and the length of an outage.
        What remains is evenly spaced at each age: a power of two that divides a position divides all its multiples.
        """
        return (self._last_position - position) / (position & -position)

    def _plan(self) -> None:
        if self._writer:
            self._writer.plan()
