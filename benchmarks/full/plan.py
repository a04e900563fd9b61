"""The sizes and durations of the measurement of a large fleet."""

from dataclasses import dataclass


@dataclass(frozen=True)
class FullPlan:
    terminals: int = 50_000
    """Kept connected for `minutes` (P9)."""
    minutes: float = 10
    most: int = 100_000
    """The maximum size afterwards."""
    step: int = 10_000
    nodes: int = 5
    """Server processes; one more starts if their descriptors do not suffice."""
    processes: int = 6
    """Processes of the load, each of which may open 20,000 files, too."""
    boards: int = 20
    curve: tuple[int, ...] = (1_000, 2_000, 5_000, 10_000, 20_000)
    """Sizes that are measured while the fleet grows."""
    point_s: float = 30
    settle_s: float = 6
    report_every_s: float = 30
    change_every_s: float = 0.5
    patience_s: float = 5
    dials_at_once: int = 256
    """How many terminals connect at once while the fleet grows, so that they do not disturb the next measurement."""
    late_ms: float = 2_000
    """The fleet grows no further when acknowledgements or boards are later than this."""
    returns_at_once: int = 5 * 256
    """Reconnects at once after a process was killed: the total of all processes."""
    broken_s: float = 5
    """Links that break within this after a kill count as its effect."""
    return_patience_s: float = 120
    """How long to wait for terminals after a process was killed."""

    @property
    def hold_s(self) -> float:
        return self.minutes * 60

    @property
    def sizes(self) -> tuple[int, ...]:
        return (*(size for size in self.curve if size < self.terminals), self.terminals)

    @property
    def further(self) -> range:
        return range(self.terminals + self.step, self.most + 1, self.step)


TINY = FullPlan(
    terminals=20,
    minutes=0.05,
    most=40,
    step=20,
    nodes=2,
    processes=1,
    boards=2,
    curve=(10,),
    point_s=1,
    settle_s=0.2,
    report_every_s=1,
    change_every_s=0.3,
    dials_at_once=4,
    late_ms=60_000,  # how fast a machine is, is no matter
    returns_at_once=4,
    broken_s=1,
    return_patience_s=30,
)
