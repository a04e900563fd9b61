import json
from dataclasses import replace
from pathlib import Path

from benchmarks import report
from benchmarks.figure import Measured
from benchmarks.plan import TINY
from benchmarks.quantiles import quantile

RUN = report.Run(
    began_at="2026-11-25T09:00:00+00:00",
    took_s=12,
    machine={"processor": "one"},
    plan=TINY,
    systems={
        "tms": {"P1": Measured(20.0), "P2": Measured(12_000, {"ack p50 ms": quantile([], 0.5)})},
        "textbook": {"P1": Measured(30.0), "P2": Measured(500)},
    },
)


def test_the_ratio_says_how_many_times_better_whichever_way_better_is():
    lines = report.markdown(RUN).splitlines()

    assert "| P1 | memory per idle, booted terminal | KiB | 20 | 30 | 1.5 × | ≤ 24 | yes |" in lines
    assert any(line.endswith("| 12,000 | 500 | 24.0 × | ≥ 10,000 | yes |") for line in lines)


def test_what_was_not_measured_is_a_dash():
    assert "| P4 | boots | per s | – | – | – | ≥ 1,500 | – |" in report.markdown(RUN).splitlines()


def test_a_run_is_kept_as_json_that_any_reader_takes(tmp_path: Path):
    report.keep(RUN, tmp_path / "run.json")

    kept = json.loads((tmp_path / "run.json").read_text(), parse_constant=lambda word: f"not JSON: {word}")
    assert kept["systems"]["tms"]["P2"] == {"value": 12_000.0, "details": {"ack p50 ms": None}}


def test_a_quantile_is_a_value_that_was_measured():
    assert quantile([30, 10, 20], 0.5) == 20
    assert quantile(range(1, 101), 0.99) == 100


def test_a_run_beside_other_work_says_so():
    busy = Measured(500, {"others %": 130.0})
    run = replace(RUN, systems={"tms": {"P2": busy}})

    assert "Disturbed: other processes took up to 130 % of a core" in report.markdown(run)
    assert "Disturbed" not in report.markdown(RUN)
