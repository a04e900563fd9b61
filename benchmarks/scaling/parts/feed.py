"""The feed: every process receives what every other one publishes."""

from dataclasses import dataclass

from benchmarks.scaling import inputs
from benchmarks.scaling.costs import Costs
from benchmarks.scaling.parts.fleet import Fleet


@dataclass(frozen=True)
class Feed:
    fleet: Fleet
    costs: Costs

    @property
    def messages_per_s(self) -> float:
        """A node publishes readings together, and a change at once."""
        readings = min(self.fleet.nodes * inputs.FEED_MESSAGES, self.fleet.reports_per_s)
        return readings + self.fleet.changes_per_s

    @property
    def bytes_per_s(self) -> float:
        """Bytes to each process."""
        named = self.fleet.reports_per_s + self.fleet.changes_per_s
        return self.messages_per_s * self.costs.message_bytes + named * self.costs.id_bytes

    @property
    def deliveries_per_s(self) -> float:
        return self.messages_per_s * self.fleet.processes

    @property
    def bits_per_s(self) -> float:
        """Bits from Redis to all processes."""
        return self.bytes_per_s * self.fleet.processes * 8

    @property
    def receive_cores(self) -> float:
        """The cores of one process that the feed takes."""
        return self.messages_per_s * self.costs.receive_core_s

    @property
    def redis_cores(self) -> float:
        messages = self.messages_per_s * self.costs.redis_message_core_s
        return messages + self.deliveries_per_s * self.costs.redis_delivery_core_s
