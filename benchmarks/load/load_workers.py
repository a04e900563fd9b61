"""The processes of the load generator, for the measuring process."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import ExitStack
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Self

from benchmarks.load import worker
from benchmarks.load.commands import CloseAll, LoadCommand, OpenBrowser
from benchmarks.systems.address import Address

STOP_DEADLINE_S = 10
NETWORKS = count(1)
"""Each process connects from its own addresses.

The ports of the previous run stay in TIME_WAIT for a minute, in which the kernel takes long to find a free one, and
would distort the measurement.
"""


class LoadWorker:
    """One process of the load generator."""

    def __init__(self, address: Address, cores: Collection[int], *, source: str) -> None:
        context = get_context("forkserver")
        context.set_forkserver_preload(["benchmarks.load.worker"])  # imported once for all of them
        self.source = source
        self.commands: Connection
        self.commands, theirs = context.Pipe()
        self.process = context.Process(target=worker.main, args=(address, theirs, cores), daemon=True)
        self.process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self.process.pid is not None
        return self.process.pid

    def begin(self, command: LoadCommand) -> None:
        self.commands.send(command)

    def result(self) -> Any:
        """The result of the command; raises the exception that it raised."""
        answer = self.commands.recv()
        if isinstance(answer, Exception):
            raise answer
        return answer

    def do(self, command: LoadCommand) -> Any:
        self.begin(command)
        return self.result()

    def end(self) -> None:
        self.commands.close()
        self.process.join(STOP_DEADLINE_S)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class LoadWorkers:
    """Processes for terminals, and one for boards, so that the times of boards do not include work for terminals."""

    def __init__(self, address: Address, *, processes: int, cores: Collection[int]) -> None:
        self._address, self._cores = address, cores
        self.browser: LoadWorker | None = None
        network = f"127.{next(NETWORKS)}.0"
        with ExitStack() as undo:
            self.terminals: Sequence[LoadWorker] = [
                _started_worker(undo, address, cores, source=f"{network}.{number + 2}") for number in range(processes)
            ]
            self.boards = _started_worker(undo, address, cores, source=f"{network}.100")
            self._ending = undo.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._ending:
            run_on_all(self.terminal_workers, CloseAll())

    @property
    def terminal_workers(self) -> Sequence[LoadWorker]:
        return (*self.terminals, self.boards, *([self.browser] if self.browser else []))

    def visit(self) -> LoadWorker:
        """A real browser with the page of the probe open."""
        hand = _started_worker(self._ending, self._address, self._cores, source="")
        hand.do(OpenBrowser())
        self.browser = hand
        return hand


def run_on_all(terminal_workers: Iterable[LoadWorker], command: LoadCommand) -> list[Any]:
    """Run the command on all at the same time; returns their results."""
    terminal_workers = list(terminal_workers)
    for hand in terminal_workers:
        hand.begin(command)
    return [hand.result() for hand in terminal_workers]


def _started_worker(undo: ExitStack, address: Address, cores: Collection[int], *, source: str) -> LoadWorker:
    hand = LoadWorker(address, cores, source=source)
    undo.callback(hand.end)
    return hand
