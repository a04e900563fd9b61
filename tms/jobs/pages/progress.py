"""How far a run is: its items by state, in numbers and as parts of a bar."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from tms.accounts.models import User
from tms.jobs import services
from tms.jobs.models import ItemState

MIN_ENDED = 3
"""Items that must have ended before the time that is left is estimated."""
MAX_LEFT_S = 31 * 86_400


class BarPart(NamedTuple):
    """A part of a bar, in per cent of its width."""

    name: str
    since: float
    length: float


@dataclass(frozen=True, slots=True)
class RunProgress:
    """Numbers of items by state; `progress.done` in a template."""

    counts: Mapping[str, int]

    @classmethod
    def of(cls, counts: Mapping[str, int] | None) -> Self:
        return cls(counts or {})

    def __getitem__(self, state: str) -> int:
        if state not in ItemState.values:
            raise KeyError(state)  # a template then reads the attribute
        return self.counts.get(state, 0)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def ended(self) -> int:
        return self.total - self[ItemState.WAITING] - self[ItemState.SENT]

    @property
    def failed_pct(self) -> float:
        """Failed ones among those that were sent and are over, which is what the stop rule looks at."""
        answered = self[ItemState.DONE] + self[ItemState.FAILED]
        return 100 * self[ItemState.FAILED] / answered if answered else 0

    @property
    def bar(self) -> list[BarPart]:
        parts, since = [], 0.0
        for name, state in (("done", ItemState.DONE), ("failed", ItemState.FAILED), ("running", ItemState.SENT)):
            if number := self[state]:
                length = 100 * number / self.total
                parts.append(BarPart(name, since, length))
                since += length
        return parts

    def left_s(self, started_at: datetime, at: datetime) -> float | None:
        """An estimate of the seconds that are left, at the pace until now; None while too few have ended."""
        left = self[ItemState.WAITING] + self[ItemState.SENT]
        tried = self[ItemState.DONE] + self[ItemState.FAILED]
        if tried < MIN_ENDED or not left:
            return None
        return min((at - started_at).total_seconds() / tried * left, MAX_LEFT_S)


def progress_of_runs(runs: Collection[int], *, to: User) -> dict[int, RunProgress]:
    """The progress of each run, as far as the person sees the terminals."""
    return {pk: RunProgress(counts) for pk, counts in services.counts_of(runs, to=to).items()}
