"""A tiny run of the benchmark of page loads: it checks that it works; its figures mean nothing."""

from pathlib import Path

import pytest

from tests.benchmarks.measuring import measure


@pytest.mark.services
def test_pages_are_loaded_in_a_real_browser(tmp_path: Path):
    choice = ("--devices", "desktop", "--pages", "overview")
    run = measure("benchmarks.vitals", tmp_path / "vitals.json", *choice)

    figures = run.systems["tms-daphne"]
    assert all(one.details["LCP ms"] and one.details["KB"] for one in figures.values()), figures
    assert figures["desktop: plain page"].details["requests"] <= 2
    assert figures["desktop: overview"].details["requests"] <= 12
