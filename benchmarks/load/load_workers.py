"""The load generators' processes, as whoever measures sees them."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self

from benchmarks.load import worker
from benchmarks.load.orders import HangUp, Order, Visit
from benchmarks.systems.address import Address

STOP_DEADLINE_S = 10
NETWORKS = count(1)
"""Each crew dials from addresses of its own. The ports of the one before rest for a minute: where most do, the kernel
searches long for a free one, and it would be the load that is measured.
"""


class LoadWorker:
    """One process that makes load."""

    def __init__(self, address: Address, cores: Collection[int], *, source: str) -> None:
        context = get_context("spawn")
        self.source = source
        self.orders: Connection
        self.orders, theirs = context.Pipe()
        self.process = context.Process(target=worker.main, args=(address, theirs, cores), daemon=True)
        self.process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def begin(self, order: Order) -> None:
        self.orders.send(order)

    def result(self) -> Any:
        """What the order came to; raises what it raised."""
        answer = self.orders.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def do(self, order: Order) -> Any:
        self.begin(order)
        return self.result()

    def end(self) -> None:
        self.orders.close()
        self.process.join(STOP_DEADLINE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class LoadWorkers:
    """Processes for terminals, and one for boards, so that what boards see is not timed behind terminals' own work."""

    def __init__(self, address: Address, *, processes: int, cores: Collection[int]) -> None:
        self._address, self._cores = address, cores
        self.browser: LoadWorker | None = None
        network = f"127.{next(NETWORKS)}.0"
        with ExitStack() as undo:
            self.terminals: Sequence[LoadWorker] = [
                _hired(undo, address, cores, source=f"{network}.{number + 2}") for number in range(processes)
            ]
            self.boards = _hired(undo, address, cores, source=f"{network}.100")
            self._ending = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._ending:
            together(self.hands, HangUp())

    @property
    def hands(self) -> Sequence[LoadWorker]:
        return (*self.terminals, self.boards, *([self.browser] if self.browser else []))

    def visit(self) -> LoadWorker:
        """A real browser in front of the page that shows the probe."""
        hand = _hired(self._ending, self._address, self._cores, source="")
        hand.do(Visit())
        self.browser = hand
        return hand


def together(hands: Iterable[LoadWorker], order: Order) -> list[Any]:
    """What the order came to with each, done at the same time."""
    hands = list(hands)
    for hand in hands:
        hand.begin(order)
    return [hand.result() for hand in hands]


def _hired(undo: ExitStack, address: Address, cores: Collection[int], *, source: str) -> LoadWorker:
    hand = LoadWorker(address, cores, source=source)
    undo.callback(hand.end)
    return hand
