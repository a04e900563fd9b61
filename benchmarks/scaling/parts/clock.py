"""The clock that leads: how much of its time its largest jobs take."""

from dataclasses import dataclass

from benchmarks.scaling import inputs
from benchmarks.scaling.costs import Costs
from benchmarks.scaling.parts.fleet import Fleet

HOUR_S = 3600


@dataclass(frozen=True)
class Clock:
    fleet: Fleet
    costs: Costs

    @property
    def sweeps_per_s(self) -> float:
        """Terminals that are due. The lease moved on with the last report, half an interval ago on average."""
        return self.fleet.terminals / (inputs.LEASE_S - inputs.REPORT_EVERY_S / 2)

    @property
    def sweep_share(self) -> float:
        """The share of the prompt lane's thread, which ten other jobs use, too."""
        return self.sweeps_per_s * self.costs.sweep_s

    @property
    def rollup_share(self) -> float:
        """The share of the slow lane's thread."""
        return self.fleet.terminals * inputs.ROLLUP_LANE_S / HOUR_S
