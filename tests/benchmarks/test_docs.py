from dataclasses import replace
from pathlib import Path

from benchmarks import docs
from benchmarks.measuring.figure import Measured
from benchmarks.measuring.run import Run, keep
from benchmarks.running.plan import TINY

BENCH = Run(
    began_at="2026-11-25T09:00:00+00:00",
    took_s=540,
    machine={"processor": "one", "commit": "abc"},
    plan=TINY,
    systems={"tms-daphne": {"P2": Measured(12_000, {})}},
)
POINT = {"terminals": 1_000.0} | {name: 1.0 for name in docs.CURVE if name != "terminals"}
POINT |= {f"{name} GiB": 0.5 for name in ("server", "PostgreSQL", "kernel sockets")}
FULL = replace(
    BENCH,
    systems={"tms-daphne": {"P9": Measured(50_000), "P2": Measured(1)}},
    curve=[POINT, POINT | {"terminals": 2_000.0}],
    notes=["nothing stopped it"],
)


def test_the_page_gets_the_figures_of_all_stored_runs_between_its_markers(tmp_path: Path):
    page = tmp_path / "page.md"
    page.write_text(f"before\n{docs.BEGIN}\nold figures\n{docs.END}\nafter\n")
    keep(BENCH, tmp_path / "bench.json")
    keep(FULL, tmp_path / "full.json")

    runs = [str(tmp_path / name) for name in ("bench.json", "full.json")]
    docs.main([*runs, "--page", str(page), "--images", str(tmp_path / "images")])

    text = page.read_text()
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")
    assert "old figures" not in text
    for part in ("| P2 | reports committed", "| P9 | terminals connected", "held: nothing stopped it."):
        assert part in text
    assert sorted(path.name for path in (tmp_path / "images").iterdir()) == ["fleet-curve.png", "fleet-curve.svg"]


def test_the_page_of_the_docs_has_the_markers():
    assert docs.PAGE.read_text().count(docs.BEGIN) == docs.PAGE.read_text().count(docs.END) == 1
