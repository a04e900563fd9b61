"""Carries out faults in the simulated fleet, and ends them in time."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import count

import msgspec

from tms.demo.breaking.faults import FaultKind, kinds_of
from tms.demo.breaking.messages import ActiveFault, Answer, Request, StartFault, UndoFault
from tms.demo.device import DemoDevice
from tms.demo.seed_file import DemoTerminal
from tms.demo.simulated import Simulated
from tms_agent.agent import Agent

LASTS_S = 300.0
MAX_FAULTS = 20
"""Faults at a time."""
HEAT_C = 36.0
PAPER_PCT = 3.0
OTHER = "OTHER"
"""Ends the serial number of another device."""
SWAPPED_AFTER_S = 5.0

type End = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Going:
    """A fault that goes on, what ends it, and the timer that does so."""

    broken: ActiveFault
    end: End
    timer: asyncio.TimerHandle


class Breaker:
    """Runs in the event loop of the simulator."""

    def __init__(self, fleet: Sequence[Simulated], url: str) -> None:
        self._fleet = fleet
        self._by_uid: Mapping[str, Simulated] = {one.uid: one for one in fleet}
        self._url = url
        self._numbers = count(1)
        self._going: dict[int, Going] = {}
        self._clones: set[asyncio.Task[object]] = set()

    def answer(self, request: Request) -> Answer:
        error = ""
        if isinstance(request, StartFault):
            error = self._break(request)
        elif isinstance(request, UndoFault):
            self._end(request.number)
        return Answer([going.broken for going in reversed(self._going.values())], error)

    def stop(self) -> None:
        for number in list(self._going):
            self._end(number)

    def _break(self, request: StartFault) -> str:
        """The code of an error, or empty."""
        if len(self._going) >= MAX_FAULTS:
            return "too-many"
        targets = self._targets(request)
        if not targets:
            return "unknown-target"
        if targets[0].device.terminal.kind not in kinds_of(request.fault):
            return "unsuitable"
        number = next(self._numbers)
        broken = ActiveFault(number, request.fault, request.target, datetime.now(UTC) + timedelta(seconds=LASTS_S))
        timer = asyncio.get_running_loop().call_later(LASTS_S, self._end, number)
        self._going[number] = Going(broken, self._begin(request.fault, targets), timer)
        return ""

    def _targets(self, request: StartFault) -> list[Simulated]:
        if request.fault is FaultKind.CUT_SITE:
            return [one for one in self._fleet if one.site == request.target]
        one = self._by_uid.get(request.target)
        return [one] if one else []

    def _begin(self, fault: FaultKind, targets: Sequence[Simulated]) -> End:
        one = targets[0]
        match fault:
            case FaultKind.CUT_SITE:
                return _cut(targets)
            case FaultKind.CLONE:
                return self._clone(one)
            case FaultKind.SWAP_DEVICE:
                return _swap(one)
            case FaultKind.CRASH:
                one.agent.crash()
                return _nothing
            case _:
                _disturb(one, fault, is_broken=True)
                return partial(_disturb, one, fault, is_broken=False)

    def _clone(self, original: Simulated) -> End:
        terminal = msgspec.structs.replace(original.device.terminal, serial="CLONE")
        agent = Agent(self._url, original.key, source=DemoDevice(terminal, original.device.personality))
        task = asyncio.create_task(agent.run())
        self._clones.add(task)
        task.add_done_callback(self._clones.discard)
        return task.cancel

    def _end(self, number: int) -> None:
        """End a fault. Idempotent."""
        if going := self._going.pop(number, None):
            going.timer.cancel()
            going.end()


def _cut(targets: Sequence[Simulated]) -> End:
    for one in targets:
        one.agent.offline_for(LASTS_S)

    def end() -> None:
        for one in targets:
            one.agent.offline_for(0)

    return end


def _swap(one: Simulated) -> End:
    """Another device with the same key: it starts while the old one is unplugged."""
    original = one.device.terminal
    _boot_as(one, msgspec.structs.replace(original, serial=f"{original.serial}-{OTHER}"))
    return partial(_boot_as, one, original)


def _boot_as(one: Simulated, terminal: DemoTerminal) -> None:
    one.device.terminal = terminal
    one.agent.stop("reboot", datetime.now(UTC) + timedelta(seconds=SWAPPED_AFTER_S))


def _disturb(one: Simulated, fault: FaultKind, *, is_broken: bool) -> None:
    """Change the device, and report it at once."""
    match fault:
        case FaultKind.HEAT:
            one.device.heat_c = HEAT_C if is_broken else 0.0
        case FaultKind.USE_UP_PAPER:
            one.device.paper_pct = PAPER_PCT if is_broken else 100.0
        case FaultKind.JAM_READER:
            one.device.jam(is_broken)
    one.agent.report_now()


def _nothing() -> None:
    """A device that crashed restarts by itself."""
