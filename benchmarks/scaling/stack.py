"""One TMS as it is today: nodes and clocks on machines, one leading clock, one PostgreSQL and one Redis."""

from dataclasses import dataclass, field

from benchmarks.scaling.costs import Costs, measured
from benchmarks.scaling.parts.clock import Clock
from benchmarks.scaling.parts.database import Database
from benchmarks.scaling.parts.feed import Feed
from benchmarks.scaling.parts.fleet import Fleet
from benchmarks.scaling.parts.node import Node


@dataclass(frozen=True)
class Stack:
    terminals: int
    costs: Costs = field(default_factory=measured)

    @property
    def fleet(self) -> Fleet:
        return Fleet(self.terminals)

    @property
    def node(self) -> Node:
        return Node(self.fleet, self.costs)

    @property
    def feed(self) -> Feed:
        return Feed(self.fleet, self.costs)

    @property
    def clock(self) -> Clock:
        return Clock(self.fleet, self.costs)

    @property
    def database(self) -> Database:
        return Database(self.fleet, self.costs)

    @property
    def server_cores(self) -> float:
        """The cores of all nodes and clocks; nodes without boards neither render nor compare."""
        fleet, node = self.fleet, self.node
        reports = fleet.nodes * self.costs.node_core + fleet.terminals * self.costs.link_core
        boards = fleet.board_nodes * (node.render_cores + node.verify_cores)
        return reports + boards + fleet.processes * self.feed.receive_cores

    @property
    def server_bytes(self) -> float:
        return self.fleet.nodes * self.node.memory_bytes + self.fleet.clocks * self.costs.process_bytes
