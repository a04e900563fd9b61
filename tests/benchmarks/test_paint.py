"""The benchmark of paints: how it reads a trace, and a tiny run."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.paint.cases import BASELINES
from benchmarks.paint.trace import PaintedChange, painted_changes
from tests.benchmarks.measuring import measure

MAIN, OTHER = {"pid": 1, "tid": 1}, {"pid": 1, "tid": 2}


def arrival(at_ms: float) -> dict[str, Any]:
    return {"name": "WebSocketReceive", "ph": "I", "ts": at_ms * 1e3, **MAIN}


def span(name: str, begin_ms: float, end_ms: float, thread: dict[str, int] = MAIN, **args: Any) -> dict[str, Any]:
    lasted = (end_ms - begin_ms) * 1e3
    return {"name": name, "ph": "X", "ts": begin_ms * 1e3, "dur": lasted, "tdur": lasted, "args": args, **thread}


def layout(begin_ms: float, end_ms: float, *, dirty: int, objects: int) -> dict[str, Any]:
    return span("Layout", begin_ms, end_ms, beginData={"dirtyObjects": dirty, "totalObjects": objects})


def test_a_change_lasts_from_its_arrival_to_the_end_of_the_commit():
    events = [
        arrival(10),
        span("FunctionCall", 11, 13),
        span("FunctionCall", 12, 13),  # within the other one
        span("UpdateLayoutTree", 14, 15, elementCount=7),
        layout(15, 18, dirty=5, objects=400),
        span("Paint", 18, 19),
        span("Commit", 20, 21),
        span("Paint", 19, 25, OTHER),
        span("Paint", 30, 31),
    ]

    assert painted_changes(events) == [
        PaintedChange(11, script_ms=2, style_ms=1, layout_ms=3, paint_ms=2, styled=7, dirty=5, objects=400)
    ]


def test_a_layout_that_a_script_waits_for_is_not_script():
    events = [arrival(0), span("FunctionCall", 1, 10), layout(2, 8, dirty=1, objects=9), span("Commit", 11, 12)]

    (change,) = painted_changes(events)

    assert (change.script_ms, change.layout_ms) == (3, 6)


def test_changes_that_are_painted_together_are_one_and_an_unpainted_one_is_none():
    events = [arrival(0), arrival(4), span("Commit", 8, 9), arrival(20), span("Commit", 30, 31), arrival(40)]

    assert [change.elapsed_ms for change in painted_changes(events)] == [9, 11]


@pytest.mark.services
def test_changes_are_measured_in_a_real_browser(tmp_path: Path):
    cases = ("terminals: status of 1 row", "alerts: 1 row stays", "overview: totals")
    run = measure("benchmarks.paint", tmp_path / "paint.json", "--cases", *cases)

    figures = run.systems["tms-daphne"]
    assert figures.keys() == {*cases, *BASELINES}
    for title in (*BASELINES, *cases[:2]):
        assert figures[title].details["objects"]
