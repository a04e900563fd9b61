"""Several runs become one of medians."""

from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.run import Run
from benchmarks.medians import medians
from benchmarks.running.plan import TINY


def run(value: float | None, *, seen: int = 10, **others: Measured) -> Run:
    measured = Measured(value, {"server %": value}, {"terminals back": Count(seen, 10)})
    return Run("2026-11-25T09:00:00+00:00", 12, {"processor": "one"}, TINY, {"tms-daphne": {"P4": measured, **others}})


def test_each_figure_and_detail_is_the_median_with_its_range():
    [figures] = medians([run(900), run(1_400), run(1_000)]).systems.values()

    assert figures["P4"].value == 1_000
    assert figures["P4"].details == {"server %": 1_000, "lowest": 900, "highest": 1_400}


def test_a_figure_that_was_incomplete_once_is_incomplete():
    [figures] = medians([run(900), run(1_400, seen=9), run(1_000)]).systems.values()

    assert figures["P4"].missing == {"terminals back": Count(9, 10)}


def test_what_some_runs_lack_is_the_median_of_the_others():
    [figures] = medians([run(900), run(None, P1=Measured(7.0)), run(1_000)]).systems.values()

    assert (figures["P4"].value, figures["P1"].value) == (950, 7.0)


def test_what_no_run_could_measure_stays_unmeasured():
    [figures] = medians([run(None), run(None)]).systems.values()

    assert figures["P4"].value is None
