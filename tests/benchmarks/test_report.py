from dataclasses import replace
from pathlib import Path

from benchmarks.measuring.figure import Count, Measured
from benchmarks.measuring.quantiles import quantile
from benchmarks.measuring.run import Run, keep, read
from benchmarks.output import report
from benchmarks.running.plan import TINY

RUN = Run(
    began_at="2026-11-25T09:00:00+00:00",
    took_s=12,
    machine={"processor": "one"},
    plan=TINY,
    systems={
        "textbook": {"P1": Measured(30.0), "P2": Measured(500)},
        "tms-daphne": {
            "P1": Measured(15.0),
            "P2": Measured(24_000, {"ack p50 ms": quantile([], 0.5)}),
            "P4": Measured(1_400),
        },
    },
)


def rows(run: Run) -> list[list[str]]:
    lines = report.summary(run).splitlines()
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines]


def test_a_row_has_target_measurement_reached_ratio_and_baseline():
    head, _, first, *_ = rows(RUN)

    assert head == ["", "what", "unit", "target", "tms-daphne", "reached", "better", "textbook"]
    assert first == ["P1", "memory per idle, booted terminal", "KiB", "≤ 16", "15", "yes", "2.0 ×", "30"]


def test_other_systems_have_a_column_each_and_no_targets():
    run = replace(RUN, systems=RUN.systems | {"ocpp-node": {"P1": Measured(25.0)}})

    head, _, first, second, *_ = rows(run)

    assert head[4:] == ["tms-daphne", "reached", "better", "textbook", "ocpp-node"]
    assert first[4:] == ["15", "yes", "2.0 ×", "30", "25"]
    assert second[-2:] == ["500", "–"]


def test_a_figure_that_must_not_be_worse_than_a_peer_states_its_ratio_to_it():
    ours = {"tms-daphne": {"P4 watched": Measured(1_500)}}
    rates = (2_000, 1_200)

    found = [rows(replace(RUN, systems=ours | {"ocpp-node": {"P4 watched": Measured(rate)}}))[2] for rate in rates]
    (alone,) = rows(replace(RUN, systems=ours))[2:]

    assert [row[3:] for row in found] == [
        ["≥ ocpp-node", "1,500", "no: 0.75 × ocpp-node", "2,000"],
        ["≥ ocpp-node", "1,500", "yes: 1.25 × ocpp-node", "1,200"],
    ]
    assert alone[3:] == ["≥ ocpp-node", "1,500", "– without ocpp-node"]


def test_the_ratio_is_how_many_times_better_for_either_direction():
    ratios = {row[0]: row[6] for row in rows(RUN)}

    assert ratios["P1"] == "2.0 ×"
    assert ratios["P2"] == "48.0 ×"


def test_a_figure_that_must_beat_the_textbook_is_not_reached_by_its_value_alone():
    slow = replace(RUN, systems=RUN.systems | {"textbook": {"P2": Measured(1_000)}})

    reached = {row[0]: row[5] for row in rows(slow)}

    assert reached["P2"] == "no"


def test_a_figure_is_not_reached_unless_everything_was_counted():
    late = Measured(30.0, counts={"terminals back": Count(12_231, 12_508), "boards connected": Count(20, 20)})
    whole = Measured(20.6, counts={"terminals back": Count(12_508, 12_508)})
    run = replace(RUN, systems={"tms-daphne": {"P9 killed": late, "P9 restarted": whole}})

    late_row, whole_row = rows(run)[2:]

    assert late_row[3:] == ["≤ 30", "≥ 30", "no: 12,231 of 12,508 terminals back"]
    assert whole_row[3:] == ["≤ 30", "20.6", "yes"]
    assert "| terminals back | 12,231 of 12,508 |" in report.markdown(run)


def test_a_rate_without_everything_counted_is_an_upper_bound():
    measured = Measured(2_500.0, counts={"terminals booted": Count(4_899, 5_000)})
    run = replace(RUN, systems={"tms-daphne": {"P4": measured}, "textbook": {"P4": measured}})

    (row,) = rows(run)[2:]

    assert row[4:] == ["≤ 2,500", "no: 4,899 of 5,000 terminals booted", "1.0 ×", "≤ 2,500"]


def test_a_figure_without_a_value_is_not_reached_if_something_is_missing():
    run = replace(RUN, systems={"tms-daphne": {"P11": Measured(None, counts={"boards that showed all": Count(0, 1)})}})

    (row,) = rows(run)[2:]

    assert row[4:] == ["–", "no: 0 of 1 boards that showed all"]


def test_what_one_system_did_not_measure_is_a_dash_and_without_measurements_there_is_no_row():
    found = {row[0]: row for row in rows(RUN)}

    assert found["P4"][4:] == ["1,400", "no", "–", "–"]
    assert "P3" not in found


def test_a_run_is_stored_as_json_and_read_again(tmp_path: Path):
    counted = Measured(1_400.0, counts={"terminals booted": Count(4, 5)})
    keep(replace(RUN, systems=RUN.systems | {"ocpp-node": {"P4": counted}}), tmp_path / "kept" / "run.json")

    again = read(tmp_path / "kept" / "run.json")
    assert again.systems["ocpp-node"]["P4"] == counted
    again = replace(again, systems={name: again.systems[name] for name in RUN.systems})
    assert again.systems["tms-daphne"]["P2"] == Measured(24_000, {"ack p50 ms": None})
    assert report.summary(again) == report.summary(RUN)


def test_a_quantile_is_a_measured_value():
    assert quantile([30, 10, 20], 0.5) == 20
    assert quantile(range(1, 101), 0.99) == 100


def test_a_run_with_other_activity_is_marked():
    busy = Measured(500, {"others %": 130.0})
    run = replace(RUN, systems={"tms-daphne": {"P2": busy}})

    assert "Disturbed: other processes took up to 130 % of a core" in report.markdown(run)
    assert "Disturbed" not in report.markdown(RUN)


def test_failed_measurements_are_reported():
    run = replace(RUN, missing={"ocpp-node": "node is not installed"})

    assert "Not measured: ocpp-node: node is not installed" in report.markdown(run)
