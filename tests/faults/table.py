"""Prints findings as a table."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from tests.faults.fault import Finding, Promise

HEAD = ("fault", "requirement", "lost", "duplicated", "false alerts", "converged s", "verdict", "figures")


def markdown(findings: Iterable[Finding]) -> str:
    rows = [HEAD, ["---"] * len(HEAD), *(_row(finding) for finding in findings)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def summary(findings: Sequence[Finding], *, took_s: float) -> str:
    told = Counter(finding.verdict for finding in findings)
    return f"{', '.join(f'{number} {verdict.value}' for verdict, number in told.items())}; took {took_s:.0f} s"


def figures(finding: Finding) -> str:
    """Figures of the finding that have no column."""
    if finding.skipped:
        return finding.skipped
    told = [_promise(promise) for promise in finding.promises]
    promised = {promise.what for promise in finding.promises}
    told += [f"{name} {number(value)}" for name, value in finding.figures.items() if name not in promised]
    return "; ".join([*([finding.error] if finding.error else []), *told])


def number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"


def _row(finding: Finding) -> Sequence[str]:
    counted = (finding.lost, finding.twice, finding.false_alerts, finding.converged_s)
    return (
        f"`{finding.fault}`: {finding.title}",
        finding.requirement,
        *(number(value) for value in counted),
        finding.verdict.value,
        figures(finding),
    )


def _promise(promise: Promise) -> str:
    unit = f" {promise.unit}" if promise.unit else ""
    mark = "" if promise.is_kept else " ✗"
    return f"{promise.what} {number(promise.value)}{unit} (≤ {number(promise.at_most)}){mark}"
