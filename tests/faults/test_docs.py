from datetime import UTC, datetime
from pathlib import Path

from tests.faults import docs
from tests.faults.catalogue import STAGES
from tests.faults.fault import Finding
from tests.faults.run import Run, keep


def test_the_page_gets_the_findings_of_a_kept_run_between_its_marks(tmp_path: Path) -> None:
    page, kept = tmp_path / "page.md", tmp_path / "run.json"
    page.write_text(f"before\n{docs.BEGIN}\nold findings\n{docs.END}\nafter\n")
    finding = Finding("kill-node", "R29", "kill -9", lost=0, twice=0, false_alerts=0, converged_s=1.5)
    finding.promise("all back", 31, at_most=30, unit="s")
    keep(Run(datetime(2026, 3, 1, tzinfo=UTC), 60, "daphne", "2 cores", "abc", [finding]), kept)

    docs.main([str(kept), "--page", str(page)])

    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old findings" not in text
    assert "| `kill-node`: kill -9 | R29 | 0 | 0 | 0 | 1.5 | BROKEN | all back 31 s (≤ 30) ✗ |" in text


def test_every_fault_has_a_name_of_its_own() -> None:
    names = [fault.name for stage in STAGES for fault in stage.faults]

    assert len(set(names)) == len(names)
