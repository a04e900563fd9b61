"""A fleet, and how today's stack is laid out for it."""

import math
from dataclasses import dataclass

from benchmarks.scaling import inputs

DAY_S = 86_400


@dataclass(frozen=True)
class Fleet:
    terminals: int

    @property
    def reports_per_s(self) -> float:
        return self.terminals / inputs.REPORT_EVERY_S

    @property
    def changes_per_s(self) -> float:
        return self.terminals * inputs.CHANGES_A_DAY / DAY_S

    @property
    def boards(self) -> int:
        return math.ceil(max(inputs.LEAST_BOARDS, self.terminals / inputs.TERMINALS_PER_BOARD))

    @property
    def machines(self) -> int:
        return math.ceil(self.terminals / inputs.MACHINE_TERMINALS + inputs.SPARE_MACHINES)

    @property
    def nodes(self) -> int:
        return int(self.machines * inputs.MACHINE_NODES)

    @property
    def clocks(self) -> int:
        """One on each machine; one of them leads."""
        return self.machines

    @property
    def processes(self) -> int:
        return self.nodes + self.clocks

    @property
    def board_nodes(self) -> int:
        """Nodes with an open board."""
        return min(self.nodes, self.boards)
