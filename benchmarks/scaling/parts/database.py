"""PostgreSQL: connections, writes, CPU, write-ahead log and disk."""

from dataclasses import dataclass

from benchmarks.scaling import inputs
from benchmarks.scaling.costs import Costs
from benchmarks.scaling.parts.clock import Clock
from benchmarks.scaling.parts.fleet import DAY_S, Fleet

HOURS = 24


@dataclass(frozen=True)
class Database:
    fleet: Fleet
    costs: Costs

    @property
    def connections(self) -> float:
        return self.fleet.processes * inputs.POOL

    @property
    def rows_per_s(self) -> float:
        """Each report is a row, and updates the state of its terminal; so does the sweep. Roll-ups are rows, too."""
        return 2 * self.fleet.reports_per_s + Clock(self.fleet, self.costs).sweeps_per_s + self.rollups_a_day / DAY_S

    @property
    def rollups_a_day(self) -> float:
        return self.fleet.terminals * HOURS * inputs.READINGS

    @property
    def cores(self) -> float:
        reports = (
            self.fleet.nodes * self.costs.database_node_core + self.fleet.terminals * self.costs.database_link_core
        )
        return reports + self.fleet.reports_per_s * inputs.ROLLUP_CORE_S + self.verify_cores

    @property
    def verify_cores(self) -> float:
        """Each node with boards reads the whole fleet."""
        read = self.fleet.terminals * self.costs.compare_core_s
        return self.fleet.board_nodes * read / inputs.VERIFY_EVERY_S

    @property
    def recount_core_s(self) -> float:
        """The cost of a change of more rows than a message names: each node with boards counts the fleet again."""
        return self.fleet.board_nodes * self.fleet.terminals * self.costs.compare_core_s

    @property
    def boot_cores(self) -> float:
        """The cores that all terminals need to boot within the reconnect grace."""
        return self.fleet.terminals * self.costs.boot_core_s / inputs.GRACE_S

    @property
    def wal_bytes_per_s(self) -> float:
        reports = self.fleet.reports_per_s * self.costs.wal_bytes
        return reports + Clock(self.fleet, self.costs).sweeps_per_s * self.costs.sweep_wal_bytes

    @property
    def report_bytes_a_day(self) -> float:
        return self.fleet.reports_per_s * DAY_S * inputs.REPORT_BYTES

    @property
    def disk_bytes(self) -> float:
        rollups = self.rollups_a_day * inputs.ROLLUP_BYTES * inputs.ROLLUPS_DAYS
        return self.report_bytes_a_day * inputs.READINGS_DAYS + rollups
