"""TMS with several server processes, as a system under test."""

from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks.measuring.meter import pin
from benchmarks.systems.address import Address
from benchmarks.systems.tms import Tms
from deploy.processes import HOST, ClockProcess, NodeProcess


class Several(Tms):
    """TMS as in production: several server processes, and a clock in a separate one."""

    number = 2

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.nodes: list[NodeProcess] = []
        self.clock: ClockProcess | None = None

    @property
    def address(self) -> Address:
        return Address(self.protocol, HOST, tuple(node.port for node in self.nodes), self.cookie, self.redis_url)

    @property
    def pids(self) -> Sequence[int]:
        services = [*self.nodes, *([self.clock] if self.clock else [])]
        return [service.pid for service in services if service.is_running]

    def start(self, *, broadcast: bool = False) -> None:
        self.clock = ClockProcess(name="clock", folder=self.folder / "clock", environment=self._environment)
        self.nodes = [self._node(index) for index in range(self.number)]
        with ExitStack() as undo:
            undo.callback(self.stop)
            for service in (self.clock, *self.nodes):
                service.launch()
                pin(service.pid, self.cores)
            for node in self.nodes:
                node.wait_until_ready()
            undo.pop_all()

    def add_node(self) -> NodeProcess:
        """One more, running."""
        node = self._node(len(self.nodes))
        node.start()
        pin(node.pid, self.cores)
        self.nodes.append(node)
        return node

    def stop(self) -> None:
        services = [*self.nodes, *([self.clock] if self.clock else [])]
        for service in services:
            service.request_stop()
        for service in services:
            service.wait_until_ended()

    def _node(self, index: int) -> NodeProcess:
        name = f"node-{index + 1}"
        return NodeProcess(name=name, folder=self.folder / name, environment=self._environment)

    @property
    def _environment(self) -> dict[str, str]:
        return self.env | self.settings
