"""One timer for the deadlines of many connections."""

import weakref
from collections import defaultdict
from collections.abc import Iterator

SLOTS_PER_SECOND = 10


class Wheel[T]:
    """One timer for many items: each is in the slot of the time at which it is due.

    Items are referenced weakly, so that a closed socket does not stay in memory until its slot is due.
    """

    def __init__(self, now: float) -> None:
        self.slots: defaultdict[int, list[weakref.ref[T]]] = defaultdict(list)
        self.turned_to = slot_of(now)

    def watch(self, item: T, when: float) -> None:
        self.slots[max(slot_of(when), self.turned_to + 1)].append(weakref.ref(item))

    def turn(self, now: float) -> Iterator[T]:
        """Items that were due by `now`. To be checked again, they must be added again."""
        for slot in range(self.turned_to + 1, slot_of(now) + 1):
            self.turned_to = slot
            for reference in self.slots.pop(slot, ()):
                item = reference()
                if item is not None:
                    yield item


def slot_of(when: float) -> int:
    return int(when * SLOTS_PER_SECOND)
