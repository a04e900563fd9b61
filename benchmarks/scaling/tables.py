"""Tables by name: those of docs/scaling.md, and what they are computed from."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence

from benchmarks.output.report import number, table
from benchmarks.scaling import bill, prices
from benchmarks.scaling.costs import measured
from benchmarks.scaling.inputs import STATED, Input
from benchmarks.scaling.limits import DESIGN, SETTINGS, TB, Limit, in_order
from benchmarks.scaling.stack import Stack

CELL, LARGE_CELL = 50_000, 100_000
FLEETS = (CELL, LARGE_CELL, 1_000_000, 10_000_000)
DIGITS = 2

NEEDS: Mapping[str, Callable[[Stack], float]] = {
    "reports per s": lambda stack: stack.fleet.reports_per_s,
    "changes per s": lambda stack: stack.fleet.changes_per_s,
    "open boards": lambda stack: stack.fleet.boards,
    "machines": lambda stack: stack.fleet.machines,
    "nodes": lambda stack: stack.fleet.nodes,
    "links of a node": lambda stack: stack.node.links,
    "links through the load balancer": lambda stack: stack.terminals,
    "CPU of all nodes and clocks, cores": lambda stack: stack.server_cores,
    "memory of all nodes and clocks, GiB": lambda stack: stack.server_bytes / 2**30,
    "CPU of rendering on a node with boards, cores": lambda stack: stack.node.render_cores,
    "messages of the feed, per s": lambda stack: stack.feed.messages_per_s,
    "feed to each process, KB per s": lambda stack: stack.feed.bytes_per_s / 1e3,
    "deliveries by Redis, per s": lambda stack: stack.feed.deliveries_per_s,
    "CPU of a process to receive the feed, cores": lambda stack: stack.feed.receive_cores,
    "rows that PostgreSQL writes, per s": lambda stack: stack.database.rows_per_s,
    "CPU of PostgreSQL, cores": lambda stack: stack.database.cores,
    "of that, verification of boards, cores": lambda stack: stack.database.verify_cores,
    "PostgreSQL, when all nodes with boards count again, core s": lambda stack: stack.database.recount_core_s,
    "CPU of PostgreSQL while all boot within the grace, cores": lambda stack: stack.database.boot_cores,
    "write-ahead log, TB a day": lambda stack: stack.database.wal_bytes_per_s * 86_400 / TB,
    "reports in PostgreSQL, TB a day": lambda stack: stack.database.report_bytes_a_day / TB,
    "the same readings in a column store, TB a day": lambda stack: bill.column_bytes_a_day(stack) / TB,
    "terminals that the clock sweeps, per s": lambda stack: stack.clock.sweeps_per_s,
}


def tables() -> Mapping[str, str]:
    """The tables of the page."""
    return {
        "a cell": _bill(bill.cell(CELL)),
        "needs": _needs(),
        "order": _order((*SETTINGS, *DESIGN)),
        "cells": _cells(),
        "engines": _engines(),
    }


def background() -> Mapping[str, str]:
    """What the tables of the page are computed from; printed only."""
    return {
        "settings": _limits(SETTINGS),
        "design": _limits(DESIGN),
        "inputs": _inputs((*measured().inputs(), *STATED)),
        "prices": _inputs(prices.PRICES),
    }


def rounded(value: float) -> str:
    """The value to two digits: the model is no better than that."""
    if not value:
        return "0"
    digits = DIGITS - 1 - math.floor(math.log10(abs(value)))
    value = round(value, digits)
    return f"{value:,.0f}" if digits <= 0 else f"{value:.{digits}f}".rstrip("0").rstrip(".")


def _head(*names: str) -> Sequence[str]:
    return (*names, *(f"{fleet:,}" for fleet in FLEETS))


def _needs() -> str:
    rows = [(name, *(rounded(need(Stack(fleet))) for fleet in FLEETS)) for name, need in NEEDS.items()]
    return table(_head("terminals"), rows)


def _limits(limits: tuple[Limit, ...]) -> str:
    """The table of limits. Those that break first come first. What is exceeded is bold."""
    head = _head("what", "limit", "source", "exceeded from")
    return table(head, [_limit_row(limit) for limit in in_order(limits)])


def _limit_row(limit: Limit) -> Sequence[str]:
    most = f"{number(limit.most)} {limit.most.unit}".strip()
    values = (_marked(limit, Stack(fleet)) for fleet in FLEETS)
    return (limit.name, most, limit.most.source, rounded(limit.exceeded_from), *values)


def _marked(limit: Limit, stack: Stack) -> str:
    value = rounded(limit.value(stack))
    return f"**{value}**" if limit.is_exceeded(stack) else value


def _order(limits: tuple[Limit, ...]) -> str:
    """A numbered list below the first fleet of this page that exceeds the limit."""
    parts, smaller = [], 0
    for fleet in (*FLEETS[1:], math.inf):
        broken = [limit for limit in in_order(limits) if smaller < limit.exceeded_from <= fleet]
        title = f"**At {fleet:,} terminals**" if fleet < math.inf else f"**Only above {smaller:,} terminals**"
        parts += [title + ":", "\n".join(map(_order_line, broken))] if broken else []
        smaller = int(fleet) if fleet < math.inf else smaller
    return "\n\n".join(parts)


def _order_line(limit: Limit) -> str:
    return f"1. {limit.name}, from {rounded(limit.exceeded_from)}. {limit.why}. Then: {limit.remedy}."


def _bill(items: Sequence[bill.Item]) -> str:
    rows = [(item.name, rounded(item.number), rounded(item.dollars)) for item in items]
    return table(("per month", "number", "$"), [*rows, ("total", "", rounded(bill.total(items)))])


def _cells() -> str:
    rows = [_cells_row(fleet, each) for each in (CELL, LARGE_CELL) for fleet in FLEETS if fleet >= each]
    return table(("terminals", "in cells of", "cells", "machines", "$ a month", "$ per terminal and month"), rows)


def _cells_row(fleet: int, each: int) -> Sequence[str]:
    number_of_cells = math.ceil(fleet / each)
    dollars, machines = bill.cells(fleet, each=each), number_of_cells * Stack(each).fleet.machines
    return (f"{fleet:,}", f"{each:,}", *map(rounded, (number_of_cells, machines, dollars, dollars / fleet)))


def _engines() -> str:
    fleets = FLEETS[2:]
    bills = [bill.engines(fleet) for fleet in fleets]
    rows = [(items[0].name, *(rounded(item.dollars) for item in items)) for items in zip(*bills, strict=True)]
    rows.append(("total", *(rounded(bill.total(items)) for items in bills)))
    links = [rounded(bill.total(bill.iot_links(fleet))) for fleet in fleets]
    rows.append(("only links and messages of AWS IoT Core, for comparison", *links))
    return table(("$ a month", *(f"{fleet:,} terminals" for fleet in fleets)), rows)


def _inputs(values: Iterable[Input]) -> str:
    rows = [(value.label, _exact(value), value.unit, value.source) for value in values]
    return table(("input", "value", "unit", "source"), rows)


def _exact(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"
