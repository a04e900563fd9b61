"""One node: its CPU, its memory, and how long its boards and pages take."""

from dataclasses import dataclass

from benchmarks.scaling import inputs
from benchmarks.scaling.costs import Costs
from benchmarks.scaling.parts.feed import Feed
from benchmarks.scaling.parts.fleet import Fleet


@dataclass(frozen=True)
class Node:
    fleet: Fleet
    costs: Costs

    @property
    def links(self) -> float:
        return self.fleet.terminals / self.fleet.nodes

    @property
    def cores(self) -> float:
        """The cores of a node with open boards. The measured part contains the feed and the verification of a small
        fleet.
        """
        own = self.costs.node_core + self.links * self.costs.link_core
        return own + Feed(self.fleet, self.costs).receive_cores + self.render_cores + self.verify_cores

    @property
    def render_cores(self) -> float:
        """Changes are merged into so many passes a second, however many there are."""
        return min(self.fleet.changes_per_s, inputs.PASSES) * self.costs.pass_core_s

    @property
    def compare_s(self) -> float:
        """How long boards stand still, each time that they are compared with the database."""
        return self.fleet.terminals * self.costs.compare_s

    @property
    def verify_cores(self) -> float:
        return self.fleet.terminals * self.costs.compare_python_s / inputs.VERIFY_EVERY_S

    @property
    def page_s(self) -> float:
        return self.costs.page_s + self.fleet.terminals * self.costs.page_terminal_s

    @property
    def memory_bytes(self) -> float:
        """The census covers the fleet, and not only the links of this node."""
        links = self.links * self.costs.link_bytes
        return self.costs.process_bytes + links + self.fleet.terminals * self.costs.census_bytes
