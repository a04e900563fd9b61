"""`python -m tests.faults.docs`: writes the stored runs into docs/reliability.md."""

import argparse
import re
from collections.abc import Sequence
from pathlib import Path

from tests.faults.run import ROOT, Run, read
from tests.faults.table import markdown, summary

RESULTS = Path(__file__).parent / "results"
PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- findings: written by `python -m tests.faults.docs` -->", "<!-- end of findings -->"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.docs", description=__doc__)
    runs = [RESULTS / f"{name}.json" for name in ("run", "half_done", "job", "waves", "rollouts", "site_in_wave")]
    parser.add_argument("runs", nargs="*", type=Path, default=runs, help="as `--keep` wrote them")
    parser.add_argument("--page", type=Path, default=PAGE)
    options = parser.parse_args(arguments)
    found = [read(path) for path in options.runs if path.exists()]
    options.page.write_text(with_findings(options.page.read_text(), found))


def with_findings(page: str, runs: Sequence[Run]) -> str:
    """`page` with the text between the markers replaced."""
    parts = "\n\n".join(_described(run) for run in runs)
    pattern = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return pattern.sub(lambda _: f"{BEGIN}\n\n{parts}\n\n{END}", page)


def _described(run: Run) -> str:
    origin = f"{run.began_at:%Y-%m-%d %H:%M} at {run.commit}, {run.machine}: "
    return f"{origin}{summary(run.findings, took_s=run.took_s)}.\n\n{markdown(run.findings, is_short=True)}"


if __name__ == "__main__":
    main()
