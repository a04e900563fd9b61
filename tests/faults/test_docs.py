from datetime import UTC, datetime
from pathlib import Path

from tests.faults import docs
from tests.faults.catalogue import GROUPS
from tests.faults.fault import Finding
from tests.faults.run import Run, keep


def test_the_findings_of_a_stored_run_are_written_between_the_markers_of_the_page(tmp_path: Path) -> None:
    page, saved = tmp_path / "page.md", tmp_path / "run.json"
    page.write_text(f"before\n{docs.BEGIN}\nold findings\n{docs.END}\nafter\n")
    finding = Finding("kill-node", "R29", "kill -9", lost=0, duplicated=0, false_alerts=0, converged_s=1.5)
    finding.expect("all back", 31, at_most=30, unit="s")
    keep(Run(datetime(2026, 3, 1, tzinfo=UTC), 60, "2 cores", "abc", [finding]), saved)

    docs.main([str(saved), "--page", str(page)])

    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old findings" not in text
    assert "| `kill-node`: kill -9 | R29 | 0 | 0 | 0 | 1.5 | FAILED | all back 31 s (≤ 30) ✗ |" in text


def test_the_names_of_faults_are_unique() -> None:
    names = [fault.name for group in GROUPS for fault in group.faults]

    assert len(set(names)) == len(names)
