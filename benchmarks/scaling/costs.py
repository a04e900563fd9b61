"""What TMS costs: measured by the stored runs in benchmarks/results, and assumed where none measures it."""

from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from statistics import linear_regression

from benchmarks.measuring.run import Run, read
from benchmarks.scaling.inputs import Input

RESULTS = Path(__file__).parents[1] / "results"
SYSTEM = "tms-daphne"
ASSUMED = "assumption: not measured yet"
DEAREST_BOARDS_S = 0.783
"""P12 CPU varies a lot between runs: the greatest of 2026-11-25 to 2026-11-29, in seconds a minute."""
CURVE_FROM = 5_000
"""The number of terminals from which the curve counts: in a smaller fleet the cost of small flushes hides that of a
terminal.
"""
KIB, GIB = 1024.0, 1024.0**3


@dataclass(frozen=True)
class Costs:
    node_core: Input
    link_core: Input
    database_node_core: Input
    database_link_core: Input
    process_bytes: Input
    link_bytes: Input
    boot_core_s: Input
    pass_core_s: Input
    page_s: Input
    page_terminal_s: Input
    wal_bytes: Input
    sweep_s: Input
    sweep_wal_bytes: Input
    census_bytes: Input
    compare_s: Input
    compare_python_s: Input
    compare_core_s: Input
    message_bytes: Input
    id_bytes: Input
    receive_core_s: Input
    redis_message_core_s: Input
    redis_delivery_core_s: Input

    def inputs(self) -> list[Input]:
        return [getattr(self, field.name) for field in fields(self)]


@cache
def measured() -> Costs:
    return Costs(**_curve() | _scenarios() | _unit_costs())


def _curve() -> dict[str, Input]:
    """A line through the points of the curve over fleet size: what a node costs, and what a terminal adds."""
    run = read(RESULTS / "full.json")
    nodes, source = run.plan["nodes"], f"curve over fleet size, from {CURVE_FROM:,} terminals"
    link, node = _line(run, "server %")
    database_link, database_node = _line(run, "PostgreSQL %")
    link_gib, process_gib = _line(run, "server GiB")
    socket_gib, _ = _line(run, "kernel sockets GiB")
    return {
        "node_core": Input(node / 100 / nodes, "a node, with its share of clock and boards", "cores", source),
        "link_core": Input(link / 100, "a node, for each terminal", "cores", source),
        "database_node_core": Input(database_node / 100 / nodes, "PostgreSQL, for each node", "cores", source),
        "database_link_core": Input(database_link / 100, "PostgreSQL, for each terminal", "cores", source),
        "process_bytes": Input(process_gib * GIB / (nodes + 1), "memory of a process", "bytes", source),
        "link_bytes": Input((link_gib + socket_gib) * GIB, "memory of a link, with its socket", "bytes", source),
    }


def _line(run: Run, name: str) -> tuple[float, float]:
    """How `name` grows with each terminal, and what it is without any."""
    points = [(point["terminals"], point[name]) for point in run.curve]
    known = [(x, y) for x, y in points if x is not None and y is not None and x >= CURVE_FROM]
    line = linear_regression([x for x, _ in known], [y for _, y in known])
    return line.slope, line.intercept


def _scenarios() -> dict[str, Input]:
    bench = read(RESULTS / "bench.json")
    boot_us = _detail(bench, SYSTEM, "P4", "PostgreSQL µs")
    page, slope, fixed = _slowest_page(bench)
    return {
        "boot_core_s": Input(boot_us / 1e6, "PostgreSQL, for each boot", "core s", "P4"),
        "pass_core_s": Input(DEAREST_BOARDS_S / 60, "one render pass, 20 boards", "core s", "P12 CPU, the dearest run"),
        "page_s": Input(fixed, f"the slowest page ({page})", "s", "P7"),
        "page_terminal_s": Input(slope, "that page, for each terminal", "s", "P7, from 10,000 to 50,000"),
    }


def _slowest_page(run: Run) -> tuple[str, float, float]:
    """Its name, and the line through its times at 10,000 and at 50,000 terminals."""
    details = {name: value or 0.0 for name, value in run.systems[SYSTEM]["P7"].details.items() if name.endswith(": ms")}
    page = max((name.partition(",")[0] for name in details), key=lambda page: details[f"{page}, 50,000: ms"])
    small, large = details[f"{page}, 10,000: ms"] / 1e3, details[f"{page}, 50,000: ms"] / 1e3
    slope = max(0.0, large - small) / 40_000
    return page, slope, small - 10_000 * slope


def _unit_costs() -> dict[str, Input]:
    """`python -m benchmarks.unit_costs` measures them."""
    return {
        "wal_bytes": Input(900, "write-ahead log of a report", "bytes", ASSUMED),
        "sweep_s": Input(30e-6, "presence sweep, for each terminal that is due", "s", ASSUMED),
        "sweep_wal_bytes": Input(500, "write-ahead log of that", "bytes", ASSUMED),
        "census_bytes": Input(90, "census of a node, for each terminal", "bytes", ASSUMED),
        "compare_s": Input(0.8e-6, "verification of boards, for each terminal", "s", ASSUMED),
        "compare_python_s": Input(0.3e-6, "a node's part of that", "core s", ASSUMED),
        "compare_core_s": Input(0.5e-6, "PostgreSQL's part of that", "core s", ASSUMED),
        "message_bytes": Input(60, "a message of the feed", "bytes", ASSUMED),
        "id_bytes": Input(5, "each terminal that it names", "bytes", "MessagePack: ids above 65,535"),
        "receive_core_s": Input(60e-6, "a process, for each message that it receives", "core s", ASSUMED),
        "redis_message_core_s": Input(15e-6, "Redis, for each message", "core s", ASSUMED),
        "redis_delivery_core_s": Input(3e-6, "Redis, for each delivery of it", "core s", ASSUMED),
    }


def _detail(run: Run, system: str, figure: str, name: str) -> float:
    value = run.systems[system][figure].details[name]
    assert value is not None, f"{figure}: {name} was not measured"
    return value
