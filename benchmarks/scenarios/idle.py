"""A whole fleet connects (P4) and then stays idle (P1)."""

import time

from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.meter import cost, resident_bytes
from benchmarks.running.stage import Stage

FIRST = 100
"""Terminals that connect before, so that memory for the first link of a server is not counted."""


def measure(stage: Stage) -> dict[str, Measured]:
    plan, first = stage.plan, min(FIRST, stage.plan.fleet // 2)
    early = stage.dial(first)
    time.sleep(plan.settle_s)
    empty, before = resident_bytes(stage.system.pids), stage.meter.read()
    dialled = stage.dial(plan.fleet - first, skip=first)
    spent = cost(before, stage.meter.read())
    time.sleep(plan.settle_s)
    full = resident_bytes(stage.system.pids)
    took_s = dialled.ended_at - dialled.began_at
    details = spent.split(dialled.booted) | {"failed": len(dialled.failures)}
    counts = {"terminals booted": Count(early.booted + dialled.booted, plan.fleet)}
    return {
        "P1": Measured((full - empty) / dialled.booted / 1024, {"process MiB": full / 2**20}, counts),
        "P4": Measured(dialled.booted / took_s, details, counts),
    }
