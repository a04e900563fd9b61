"""`python -m benchmarks.profile`: the CPU profile of a server in one scenario.

py-spy samples the activity of each thread, and the kernel has its CPU time. Either alone misleads: a thread that waits
for the GIL, or for a core, looks busy.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from benchmarks.load.span import Span
from benchmarks.measuring.meter import thread_seconds
from benchmarks.output.report import table
from benchmarks.running import machine
from benchmarks.running.bench import OF_ALL, OF_BOARDS, SYSTEMS
from benchmarks.running.environment import Environment
from benchmarks.running.plan import FULL
from benchmarks.scenarios import fanout
from benchmarks.systems.tms import Tms

SCENARIOS = ("saturated", "steady", "light", "rest", "fanout")
PER_SECOND = 500
MAX_FUNCTIONS = 15
THREAD = re.compile(r"thread \((\d+)\): (.*?)(?:_\d+)?")
"""The name of a thread as py-spy shows it; threads of a pool have numbers."""
WAITING = re.compile(
    r"_worker \(concurrent|(Condition|Event)\.wait |EpollSelector\.select |Connection\.wait |wait_\w+ \(psycopg"
)
"""Functions that look busy to py-spy, but wait for work, for the network or for PostgreSQL."""
GROUPS = {
    "socket: reading and writing": r"tms/server/|twisted/|daphne/|consumers/",
    "event loop": r"asyncio/|concurrent/|threading\.py|selectors\.py|asgiref/|queue\.py",
    "boards: rendering": r"django/template/|django/utils/|templatetags/|tms/boards/|static/",
    "statements: Django": r"django/db/|tms/lib/db/",
    "statements: psycopg": r"psycopg",
    "ingest: decode, judge, batch": r"tms/ingest/|tms/protocol/|tms/telemetry/",
    "fleet and alerts": r"tms/lib/(?!db/)|tms/fleet/|tms/alerts/|tms/commands/|tms/clock",
    "feed and Redis": r"tms/feed/|redis/|channels",
    "metrics and logs": r"tms/ops/|tms/metrics/|prometheus_client/|structlog/|logging/",
}
"""Groups by the location of the code; the innermost frame in one of these gets the time."""


class Stack(NamedTuple):
    frames: Sequence[str]
    """The frames from the outermost to the innermost, as "function (file)"."""
    weight: float
    """Samples, or seconds of CPU."""
    thread: int = 0
    """The kernel's thread id."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("--scenario", choices=SCENARIOS, default="saturated")
    parser.add_argument("--system", choices=SYSTEMS, default=Tms.name)
    parser.add_argument("--seconds", type=float, default=20)
    options = parser.parse_args(arguments)
    plan = replace(FULL, measured_s=options.seconds)
    with (
        Environment.set_up(plan, machine.assign_cores()) as environment,
        environment.system(SYSTEMS[options.system]) as system,
    ):
        system.prepare(plan.reporting)
        measure = (OF_ALL | OF_BOARDS)[options.scenario]
        with (
            environment.staged(system, broadcast=measure is fanout.measure) as stage,
            tempfile.TemporaryDirectory() as folder,
        ):
            recording = Recording(system.pids[0], Path(folder, "stacks"))
            stage.on_span = recording.begin
            measure(stage)
            stacks = recording.stacks()
    spent_s = sum(stack.weight for stack in stacks)
    print(f"{spent_s:.1f} s of CPU in {options.seconds:.0f} s, {spent_s / options.seconds:.1%} of a core\n")
    print(format_report(stacks))


class Recording:
    """Runs py-spy during a span: it reads the process's memory, and stops it for some microseconds per sample."""

    def __init__(self, pid: int, path: Path) -> None:
        self._pid = pid
        self._path = path
        self._spent_s: Mapping[int, float] = {}
        self._watching: threading.Thread | None = None

    def begin(self, span: Span) -> None:
        """Begin to watch. The last one of several spans is reported."""
        self._wait()
        self._watching = threading.Thread(target=self._watch, args=(span,))
        self._watching.start()

    def stacks(self) -> Sequence[Stack]:
        self._wait()
        return weighed(list(read_stacks(self._path.read_text().splitlines())), self._spent_s)

    def _wait(self) -> None:
        if self._watching is not None:
            self._watching.join()

    def _watch(self, span: Span) -> None:
        program = Path(sys.executable).with_name("py-spy")
        choices = ["--format", "raw", "--function", "--threads", "--output", str(self._path)]
        length = ["--rate", str(PER_SECOND), "--duration", str(int(span.seconds))]
        command = [str(program), "record", *choices, *length, "--pid", str(self._pid)]
        before = thread_seconds(self._pid)
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        after = thread_seconds(self._pid)
        self._spent_s = {thread: spent_s - before.get(thread, 0.0) for thread, spent_s in after.items()}


def weighed(stacks: Sequence[Stack], spent_s: Mapping[int, float]) -> Sequence[Stack]:
    """The stacks with each thread's seconds distributed over them.

    Ended threads, such as those of requests, are left out.
    """
    seen: dict[int, float] = defaultdict(float)
    for stack in stacks:
        seen[stack.thread] += stack.weight
    known = [stack for stack in stacks if stack.thread in spent_s]
    return [stack._replace(weight=stack.weight / seen[stack.thread] * spent_s[stack.thread]) for stack in known]


def format_report(stacks: Sequence[Stack]) -> str:
    total = sum(stack.weight for stack in stacks)
    groups, functions, within, threads = (defaultdict[str, float](float) for _ in range(4))
    for stack in stacks:
        groups[_group(stack.frames)] += stack.weight
        functions[stack.frames[-1]] += stack.weight
        threads[stack.frames[0]] += stack.weight
        for frame in {frame for frame in stack.frames if "tms/" in frame or "consumers/" in frame}:
            within[frame] += stack.weight
    parts = {
        "group": groups,
        "thread": threads,
        "function, itself": functions,
        "function of TMS, with what it calls": within,
    }
    return "\n\n".join(_format_part(name, counted, total) for name, counted in parts.items())


def _format_part(name: str, counted: Mapping[str, float], total: float) -> str:
    most = sorted(counted.items(), key=lambda item: -item[1])[:MAX_FUNCTIONS]
    rows = [(what, f"{weight / total:.1%}") for what, weight in most]
    return table((name, "share of CPU"), rows)


def read_stacks(lines: Iterable[str]) -> Iterator[Stack]:
    for line in lines:
        frames, _, samples = line.rpartition(" ")
        thread, *called = frames.split(";")
        number, name = THREAD.fullmatch(thread).groups()
        short = [re.sub(r"\(.*site-packages/", "(", frame) for frame in called]
        stack = Stack([name, *short], int(samples), int(number))
        if not WAITING.match(stack.frames[-1]):
            yield stack


def _group(frames: Sequence[str]) -> str:
    for frame in reversed(frames):
        for name, pattern in GROUPS.items():
            if re.search(pattern, frame):
                return name
    return "other"


if __name__ == "__main__":
    main()
