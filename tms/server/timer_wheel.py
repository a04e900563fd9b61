"""One timer for the deadlines of many connections."""

import logging
import weakref
from collections import defaultdict
from typing import Protocol

log = logging.getLogger(__name__)

SLOTS_PER_SECOND = 10


class Timed(Protocol):
    """An item of the wheel."""

    def due(self, now: float) -> float | None:
        """Do what is due; returns when to call this again, or None."""


class Wheel:
    """One timer for many items: each is in the slot of the time at which it is due.

    Items are referenced weakly, so that a closed socket does not stay in memory until its slot is due.
    """

    def __init__(self, now: float) -> None:
        self.slots: defaultdict[int, list[weakref.ref[Timed]]] = defaultdict(list)
        self.turned_to = slot_of(now)

    def watch(self, item: Timed, when: float) -> None:
        self.slots[max(slot_of(when), self.turned_to + 1)].append(weakref.ref(item))

    def turn(self, now: float) -> None:
        """Call the items that were due by `now`."""
        for slot in range(self.turned_to + 1, slot_of(now) + 1):
            self.turned_to = slot
            for reference in self.slots.pop(slot, ()):
                item = reference()
                if item is not None:
                    self.call(item, now)

    def call(self, item: Timed, now: float) -> None:
        try:
            when = item.due(now)
        except Exception:  # the others in its slot must not lose their timers
            log.exception("the timer of %s failed", item)
        else:
            if when is not None:
                self.watch(item, when)


def slot_of(when: float) -> int:
    return int(when * SLOTS_PER_SECOND)
