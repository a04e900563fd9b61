"""The load generators' processes, as whoever measures sees them."""

from collections.abc import Collection, Sequence
from contextlib import ExitStack
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self

from benchmarks.load import worker
from benchmarks.load.orders import HangUp, Order
from benchmarks.systems.address import Address

STOP_DEADLINE_S = 10


class Hand:
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

    def end(self) -> None:
        self.orders.close()
        self.process.join(STOP_DEADLINE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class Crew:
    """Processes for terminals, and one for boards, so that what boards see is not timed behind terminals' own work."""

    def __init__(self, address: Address, *, processes: int, cores: Collection[int]) -> None:
        with ExitStack() as undo:
            self.terminals: Sequence[Hand] = [
                _hired(undo, address, cores, source=f"127.0.0.{number + 2}") for number in range(processes)
            ]
            self.boards = _hired(undo, address, cores, source="127.0.0.100")
            self._ending = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._ending:
            for hand in self.hands:
                hand.begin(HangUp())
            for hand in self.hands:
                hand.result()

    @property
    def hands(self) -> Sequence[Hand]:
        return (*self.terminals, self.boards)


def _hired(undo: ExitStack, address: Address, cores: Collection[int], *, source: str) -> Hand:
    hand = Hand(address, cores, source=source)
    undo.callback(hand.end)
    return hand
