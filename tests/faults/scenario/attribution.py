"""Availability compared with outages whose reason and times are known."""

import json
import math
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.faults.fault import Finding
from tests.faults.scenario.observer import ObservedTerminal
from tests.faults.scenario.scenario import Scenario

DEVIATION_S = 1


class KnownOutage(NamedTuple):
    uid: str
    reason: str
    """A `LossReason`."""
    since: float
    until: float
    """Seconds since the epoch."""


def linked_since(terminal: ObservedTerminal) -> float:
    """When its newest link was booted, in seconds since the epoch."""
    return time.time() - time.monotonic() + terminal.linked_at


async def compare_availability(scenario: Scenario[Any], finding: Finding, outages: Sequence[KnownOutage]) -> None:
    """Each outage must be one part of the lost time, with its reason and times; there must be no other."""
    parts = await _lost_time(scenario, math.floor(min(each.since for each in outages)) - DEVIATION_S)
    wrong, deviation = 0, 0
    for outage in outages:
        match parts.pop(outage.uid, []):
            case [(since, until, reason)] if reason == outage.reason:
                here = abs(since - math.floor(outage.since)), abs(until - math.floor(outage.until))
                deviation = max(deviation, *here)
            case found:
                print(f"{outage.uid}: lost {found}, injected {outage}")
                wrong += 1
    finding.figures["outages compared with availability"] = len(outages)
    finding.expect("outages without their reason in availability", wrong, at_most=0)
    finding.expect("other terminals with lost time", len(parts), at_most=0)
    finding.expect("deviation of lost time", deviation, at_most=DEVIATION_S, unit="s")


async def _lost_time(scenario: Scenario[Any], since: int) -> dict[str, list[tuple[int, int, str]]]:
    """(since, until, reason) by terminal."""
    output = await scenario.manage(
        "shell", "-c", f"from tests.faults.scenario import availability; availability.lost({since})"
    )
    parts: dict[str, list[tuple[int, int, str]]] = {}
    for uid, first, end, reason in json.loads(output.splitlines()[-1]):
        parts.setdefault(uid, []).append((first, end, reason))
    return parts
