"""Formats findings as a Markdown table."""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from tests.faults.fault import Expectation, Finding

HEAD = ("fault", "guarantee", "lost", "duplicated", "false alerts", "converged s", "verdict")


def markdown(findings: Iterable[Finding], *, is_short: bool = False) -> str:
    """`is_short`: of the figures, only the limits that were exceeded."""
    head = (*HEAD, "exceeded" if is_short else "figures")
    cells = exceeded if is_short else figures
    rows = [head, ["---"] * len(head), *((*_row(finding), cells(finding)) for finding in findings)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def summary(findings: Sequence[Finding], *, took_s: float) -> str:
    counts = Counter(finding.outcome for finding in findings)
    return f"{', '.join(f'{number} {outcome.value}' for outcome, number in counts.items())}; took {took_s:.0f} s"


def figures(finding: Finding) -> str:
    """Figures of the finding that have no column."""
    if finding.skipped:
        return finding.skipped
    parts = [_expectation(expectation) for expectation in finding.expectations]
    expected = {expectation.what for expectation in finding.expectations}
    parts += [f"{name} {number(value)}" for name, value in finding.figures.items() if name not in expected]
    return "; ".join([*([finding.error] if finding.error else []), *parts])


def exceeded(finding: Finding) -> str:
    """The limits that the finding does not meet, or why there is none."""
    missed = [_expectation(expectation) for expectation in finding.all_expectations if not expectation.is_met]
    return finding.skipped or "; ".join([*([finding.error] if finding.error else []), *missed])


def number(value: float | None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.1f}"


def _row(finding: Finding) -> Sequence[str]:
    counted = (finding.lost, finding.duplicated, finding.false_alerts, finding.converged_s)
    return (
        f"`{finding.fault}`: {finding.title}",
        finding.guarantee,
        *(number(value) for value in counted),
        finding.outcome.value,
    )


def _expectation(expectation: Expectation) -> str:
    unit = f" {expectation.unit}" if expectation.unit else ""
    mark = "" if expectation.is_met else " ✗"
    return f"{expectation.what} {number(expectation.value)}{unit} (≤ {number(expectation.at_most)}){mark}"
