"""How far rollouts are: their items by wave and state, in numbers and as parts of a bar."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Count

from tms.accounts.access import visible
from tms.accounts.models import User
from tms.rollouts.models import ATTENTION, RolloutItem, RolloutItemState
from tms.rollouts.models.item import WORKING

GAP = 1.2
"""The gap between the segments of a bar, in per cent of its width."""
PARTS: Mapping[str, Sequence[str]] = {"done": (RolloutItemState.DONE,), "failed": ATTENTION, "running": WORKING}
"""What the parts of a bar are made of, in their order."""


class WaveBarPart(NamedTuple):
    """A part of a bar, in per cent of its width; without a name its ground."""

    name: str
    since: float
    length: float


@dataclass(frozen=True, slots=True)
class ItemCounts:
    """Numbers of items by state."""

    by_state: Mapping[str, int]

    def among(self, states: Iterable[str]) -> int:
        return sum(self.by_state.get(state, 0) for state in states)

    @property
    def total(self) -> int:
        return sum(self.by_state.values())

    @property
    def updated(self) -> int:
        return self.among([RolloutItemState.DONE])

    @property
    def working(self) -> int:
        return self.among(WORKING)

    @property
    def attention(self) -> int:
        return self.among(ATTENTION)

    @property
    def waiting(self) -> int:
        return self.among([RolloutItemState.WAITING, RolloutItemState.POSTPONED])

    @property
    def postponed(self) -> int:
        return self.among([RolloutItemState.POSTPONED])

    @property
    def failed_pct(self) -> float:
        """Failed installations among those that have ended, which is what the plain threshold looks at."""
        ended = self.updated + self.attention
        return 100 * self.attention / ended if ended else 0


@dataclass(frozen=True, slots=True)
class RolloutProgress:
    """The numbers of each wave, by its number."""

    by_wave: Mapping[int, ItemCounts]

    @property
    def all(self) -> ItemCounts:
        found: Counter[str] = Counter()
        for counts in self.by_wave.values():
            found.update(counts.by_state)
        return ItemCounts(found)

    def wave(self, number: int) -> ItemCounts:
        return self.by_wave.get(number, ItemCounts({}))

    def bar(self, waves: Collection[int]) -> list[WaveBarPart]:
        """A segment of the same width for each wave, so that a canary of 12 of 1,204 can be read."""
        width = (100 - GAP * (len(waves) - 1)) / len(waves) if waves else 100
        parts: list[WaveBarPart] = []
        for index, number in enumerate(waves):
            parts += segment(self.wave(number), index * (width + GAP), width)
        return parts


def segment(counts: ItemCounts, since: float, width: float) -> list[WaveBarPart]:
    """The ground of a part of a bar, and what of it is done, failed and running."""
    parts = [WaveBarPart("", since, width)]
    for name, states in PARTS.items():
        if number := counts.among(states):
            length = width * number / counts.total
            parts.append(WaveBarPart(name, since, length))
            since += length
    return parts


def progress_of(rollouts: Collection[int], *, to: User) -> dict[int, RolloutProgress]:
    """The progress of each rollout, as far as the person sees the terminals. One grouped query."""
    found: dict[int, dict[int, dict[str, int]]] = {pk: {} for pk in rollouts}
    items = visible(RolloutItem.objects.filter(rollout__in=rollouts), to=to).order_by()
    for pk, wave, state, number in items.values_list("rollout", "wave__number", "state").annotate(n=Count("pk")):
        found[pk].setdefault(wave, {})[state] = number
    return {
        pk: RolloutProgress({wave: ItemCounts(counts) for wave, counts in waves.items()}) for pk, waves in found.items()
    }
