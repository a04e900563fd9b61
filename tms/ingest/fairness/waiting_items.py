"""Items that wait for a flush, each terminal's in their order."""

from collections import OrderedDict, deque
from collections.abc import Iterable
from itertools import chain

from tms.ingest.fairness.weight import ORDINARY
from tms.ingest.items import Item


class WaitingItems:
    """Holds terminals with a backlog separately, so that they delay nobody else.

    Nearly all terminals have one item here, or a few: a flush takes all of those. A terminal for which more than
    `ORDINARY` waits has a backlog until everything is taken. Terminals with a backlog take turns.
    """

    def __init__(self) -> None:
        self.count = 0
        self.few_weight = 0
        """Weight of what waits for terminals without a backlog."""
        self.backlog_weight = 0
        self._few: dict[int, list[Item]] = {}
        self._backlogs: OrderedDict[int, deque[Item]] = OrderedDict()
        """The terminal whose turn is next comes first."""

    @property
    def weight(self) -> int:
        return self.few_weight + self.backlog_weight

    def add(self, item: Item) -> None:
        terminal_id = item.link.identity.terminal_id
        self.count += 1
        if self._backlogs and (backlog := self._backlogs.get(terminal_id)) is not None:
            backlog.append(item)
            self.backlog_weight += item.weight
            return
        items = self._few.get(terminal_id)
        if items is None:
            self._few[terminal_id] = items = [item]
        else:
            items.append(item)
        self.few_weight += item.weight
        # Most have one item, and the others at most 16: adding them up again costs less than keeping a sum for each.
        whole = item.weight if len(items) == 1 else weight_of_all(items)
        if whole > ORDINARY:
            self._backlogs[terminal_id] = deque(self._few.pop(terminal_id))
            self.few_weight -= whole
            self.backlog_weight += whole

    def take_few(self, limit: int) -> list[Item]:
        """Everything of terminals without a backlog; of the earliest ones only, if it weighs more than `limit`."""
        if self.few_weight <= limit:
            items = list(chain.from_iterable(self._few.values()))
            self._few.clear()
            self.few_weight = 0
        else:
            items = self._take_earliest(limit)
        self.count -= len(items)
        return items

    def _take_earliest(self, limit: int) -> list[Item]:
        taken, taken_weight = list[Item](), 0
        for terminal_id in list(self._few):
            items = self._few.pop(terminal_id)
            taken += items
            taken_weight += weight_of_all(items)
            if taken_weight >= limit:
                break
        self.few_weight -= taken_weight
        return taken

    def take_of_backlogs(self, limit: int) -> list[Item]:
        """Take items of backlogs until they weigh `limit`, at most one report more. Each turn is as heavy as what
        others have waiting.
        """
        items = list[Item]()
        while self._backlogs and limit > 0:
            terminal_id, backlog = next(iter(self._backlogs.items()))
            turn = 0
            while backlog and turn < min(ORDINARY, limit):
                items.append(backlog.popleft())
                turn += items[-1].weight
            limit -= turn
            self.backlog_weight -= turn
            if backlog:
                self._backlogs.move_to_end(terminal_id)
            else:
                del self._backlogs[terminal_id]
        self.count -= len(items)
        return items


def weight_of_all(items: Iterable[Item]) -> int:
    return sum(item.weight for item in items)
