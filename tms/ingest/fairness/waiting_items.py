"""Items that wait for a flush, each terminal's in their order."""

from collections import OrderedDict, deque
from itertools import chain

from tms.ingest.fairness import weight
from tms.ingest.items import Item


class WaitingItems:
    """Holds terminals with a backlog separately, so that they delay nobody else.

    Nearly all terminals have one item here, or a few: a flush takes all of those. A terminal for which more than
    `weight.ORDINARY` waits has a backlog until everything is taken. Terminals with a backlog take turns.
    """

    def __init__(self) -> None:
        self.count = 0
        self.weight = 0
        self.backlog_weight = 0
        """Part of `weight`."""
        self._few: dict[int, list[Item]] = {}
        self._weights: dict[int, int] = {}
        """Of `_few`."""
        self._backlogs: OrderedDict[int, deque[Item]] = OrderedDict()
        """The terminal whose turn is next comes first."""

    @property
    def few_weight(self) -> int:
        """Weight of what waits for terminals without a backlog."""
        return self.weight - self.backlog_weight

    def add(self, item: Item) -> None:
        terminal_id, added = item.link.identity.terminal_id, weight.of_item(item)
        self.count += 1
        self.weight += added
        if terminal_id in self._backlogs:
            self._backlogs[terminal_id].append(item)
            self.backlog_weight += added
            return
        items = self._few.setdefault(terminal_id, [])
        items.append(item)
        self._weights[terminal_id] = whole = self._weights.get(terminal_id, 0) + added
        if whole > weight.ORDINARY:
            del self._few[terminal_id], self._weights[terminal_id]
            self._backlogs[terminal_id] = deque(items)
            self.backlog_weight += whole

    def take_few(self, limit: int) -> list[Item]:
        """Everything of terminals without a backlog; of the earliest ones only, if it weighs more than `limit`."""
        if self.few_weight <= limit:
            items = list(chain.from_iterable(self._few.values()))
            self.weight = self.backlog_weight
            self._few.clear()
            self._weights.clear()
        else:
            items = self._take_earliest(limit)
        self.count -= len(items)
        return items

    def _take_earliest(self, limit: int) -> list[Item]:
        items = list[Item]()
        for terminal_id in list(self._few):
            items += self._few.pop(terminal_id)
            taken = self._weights.pop(terminal_id)
            self.weight -= taken
            limit -= taken
            if limit <= 0:
                break
        return items

    def take_of_backlogs(self, limit: int) -> list[Item]:
        """Until they weigh `limit`, at most one report more. Each turn is as heavy as what others have waiting."""
        items = list[Item]()
        while self._backlogs and limit > 0:
            terminal_id, backlog = next(iter(self._backlogs.items()))
            turn = 0
            while backlog and turn < min(weight.ORDINARY, limit):
                items.append(backlog.popleft())
                turn += weight.of_item(items[-1])
            limit -= turn
            self.weight -= turn
            self.backlog_weight -= turn
            if backlog:
                self._backlogs.move_to_end(terminal_id)
            else:
                del self._backlogs[terminal_id]
        self.count -= len(items)
        return items
