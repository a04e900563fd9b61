"""The model of large fleets: its tables in the documentation, and what must be true of them for any measurements."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.scaling import bill, inputs
from benchmarks.scaling.__main__ import PAGE, main, with_tables
from benchmarks.scaling.costs import measured
from benchmarks.scaling.limits import DESIGN, LARGEST, SETTINGS, Limit, in_order
from benchmarks.scaling.parts.fleet import Fleet
from benchmarks.scaling.prices import PRICES
from benchmarks.scaling.stack import Stack
from benchmarks.scaling.tables import NEEDS, tables

SIZES = (1_000, 20_000, 50_000, 100_000, 333_333, 1_000_000, 10_000_000, 100_000_000)
LIMITS = (*SETTINGS, *DESIGN)
DOCS = PAGE.parent


def test_the_page_has_the_tables_of_the_model():
    """Run `python -m benchmarks.scaling --docs` after new results."""
    page = PAGE.read_text()

    assert with_tables(page) == page
    for name, text in tables().items():
        assert page.count(f"<!-- end of {name} -->") == 1
        assert text in page


def test_the_tables_are_printed_or_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    page = tmp_path / "scaling.md"
    begin, end = "<!-- needs: written by `python -m benchmarks.scaling --docs` -->", "<!-- end of needs -->"
    page.write_text(f"before\n{begin}\nold\n{end}\nafter\n")

    main([])
    main(["--docs", "--page", str(page)])

    assert tables()["needs"] in capsys.readouterr().out
    assert page.read_text() == f"before\n{begin}\n\n{tables()['needs']}\n\n{end}\nafter\n"


@pytest.mark.parametrize("need", [need for need in NEEDS if need != "links of a node"])
def test_a_larger_fleet_needs_no_less(need: str):
    values = [NEEDS[need](Stack(size)) for size in SIZES]

    assert all(smaller <= larger for smaller, larger in pairwise(values))


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.name)
def test_each_limit_is_exceeded_from_one_size_on(limit: Limit):
    size = limit.exceeded_from

    assert not limit.is_exceeded(Stack(size - 1))
    assert limit.is_exceeded(Stack(size))
    assert limit.is_exceeded(Stack(10 * size))
    assert size < LARGEST


def test_what_breaks_first_comes_first():
    assert [limit.exceeded_from for limit in in_order(LIMITS)] == sorted(limit.exceeded_from for limit in LIMITS)


def test_no_limit_of_the_design_is_exceeded_by_a_cell():
    assert [limit.name for limit in DESIGN if limit.is_exceeded(Stack(100_000))] == []


@pytest.mark.parametrize("size", SIZES)
def test_the_parts_of_a_fleet_add_up(size: int):
    fleet, stack = Fleet(size), Stack(size)

    assert fleet.processes == fleet.nodes + fleet.clocks
    assert stack.node.links * fleet.nodes == pytest.approx(size)
    assert stack.feed.deliveries_per_s == pytest.approx(stack.feed.messages_per_s * fleet.processes)
    assert stack.database.verify_cores < stack.database.cores


def test_cells_cost_what_each_of_them_costs():
    ten = bill.cells(1_000_000, each=100_000)

    assert bill.cells(100_000, each=100_000) == bill.total(bill.cell(100_000))
    assert ten == pytest.approx(10 * bill.total(bill.cell(100_000)) + bill.total(bill.cell(1_000)))


def test_a_cell_costs_what_its_sizing_says():
    row = re.search(r"^\| 50,000 \|.*\$([\d,]+) \|$", (DOCS / "deploying.md").read_text(), re.MULTILINE)

    assert row is not None
    assert round(bill.total(bill.cell(50_000)), -2) == int(row[1].replace(",", ""))


def test_every_input_names_its_source():
    every = (*measured().inputs(), *inputs.STATED, *PRICES, *(limit.most for limit in LIMITS))

    assert [one.label for one in every if not (one.label and one.source)] == []


@pytest.mark.parametrize(
    ("stated", "setting"),
    [
        (inputs.REPORT_EVERY_S, "TMS_HEARTBEAT_S"),
        (inputs.POOL, "TMS_DATABASE_POOL"),
        (inputs.GRACE_S, "TMS_RECONNECT_GRACE_S"),
        (inputs.READINGS_DAYS, "TMS_READINGS_DAYS"),
        (inputs.ROLLUPS_DAYS, "TMS_ROLLUPS_DAYS"),
        (inputs.VERIFY_EVERY_S, "TMS_PROOF_INTERVAL_S"),
    ],
)
def test_an_input_is_the_default_of_its_setting(stated: inputs.Input, setting: str):
    row = re.search(rf"^\| `{setting}` \| `([\d.]+)` \|", (DOCS / "settings.md").read_text(), re.MULTILINE)

    assert row is not None
    assert stated == float(row[1])
