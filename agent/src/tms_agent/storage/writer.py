"""Copies a spool to its journal, many changes in one commit: each costs a disk several pages and a sync."""

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

from tms_agent.device.clock import Anchor
from tms_agent.storage.entry import SpooledReport

log = logging.getLogger("tms_agent")

READINGS_S = 10.0
"""The readings that a power cut may cost. TMS acknowledges most of them earlier, and they are never written."""
REMOVALS_S = 600.0
"""How long reports stay on disk after their acknowledgement. A power cut sends them again, which TMS recognises."""

Later = Callable[[float, Callable[[], None]], Any]
"""Calls a function after so many seconds, and returns what can `cancel` it: `loop.call_later`."""


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


class Alarm:
    """Calls `act` once, `delay_s` after it was first set, unless it is cleared before."""

    def __init__(self, later: Later, delay_s: float, act: Callable[[], None]) -> None:
        self._later = later
        self._delay_s = delay_s
        self._act = act
        self._timer: Any = None

    def set(self) -> None:
        if self._timer is None:
            self._timer = self._later(self._delay_s, self._act)

    def clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


class JournalWriter:
    """What the journal lacks. After `plan` it is saved in time; after `save` it is on disk."""

    def __init__(self, journal: Journal, later: Later) -> None:
        self.journal = journal
        self._added: dict[int, SpooledReport] = {}
        self._removed: list[int] = []
        self._anchors: dict[str, Anchor] = {}
        self._soon = Alarm(later, READINGS_S, self.save)
        self._eventually = Alarm(later, REMOVALS_S, self._delete)
        self._is_failing = False

    def add(self, entry: SpooledReport) -> None:
        self._added[entry.position] = entry

    def remove(self, position: int) -> None:
        if self._added.pop(position, None) is None:
            self._removed.append(position)

    def set_anchor(self, anchor: Anchor) -> None:
        self._anchors[anchor.clock] = anchor

    def plan(self) -> None:
        if self._added or self._anchors:
            self._soon.set()
        else:
            self._soon.clear()
        if self._removed:
            self._eventually.set()

    def save(self) -> None:
        """Write what the disk does not have yet, including earlier attempts that failed."""
        self._soon.clear()
        self._write(self._added)

    def _delete(self) -> None:
        """Delete what was acknowledged. Readings that wait are not written: they would have to be deleted as well."""
        self._write({})

    def _write(self, added: dict[int, SpooledReport]) -> None:
        self._eventually.clear()
        if not (added or self._removed or self._anchors):
            return
        try:
            self.journal.write(list(added.values()), self._removed, list(self._anchors.values()))
        except JournalError as error:
            if not self._is_failing:
                log.error("reports are kept in memory only until the spool can be written again: %s", error)
            self._is_failing = True
            self.plan()
            return
        if self._is_failing:
            log.info("the spool is written again")
        self._is_failing = False
        added.clear()
        self._removed.clear()
        self._anchors.clear()
