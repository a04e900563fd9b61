"""The table of CloudWatch metrics equals the docs, including the costs."""

import re

import pytest

from tests.support.inventory import ROOT, metrics
from tms.ops.cloudwatch.measures import Counted, Level, Observations, Rise, Share, WorstShare
from tms.ops.cloudwatch.table import TABLE

PAGE = ROOT / "docs/cloudwatch.md"
TYPES = {
    Level: "gauge",
    Share: "gauge",
    WorstShare: "gauge",
    Rise: "counter",
    Observations: "histogram",
    Counted: "histogram",
}
OF_THE_BACKUP = {"BackupSuccess", "BackupAge"}
CELLS = r"^\| `([A-Z]\w+)` \| ([A-Z]\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|"


def documented() -> dict[str, tuple[str, str, str]]:
    """Unit, sender and sources of each metric."""
    rows = re.findall(CELLS, PAGE.read_text(), re.MULTILINE)
    return {name: (unit, sender, re.sub("[`,]", "", source)) for name, unit, sender, source, _ in rows}


def sources(row) -> str:
    return " ".join(sorted(re.sub("_(total|bucket|count)$", "", name) for name in row.measure.names))


def test_every_metric_is_documented_with_its_unit_its_sender_and_its_source():
    assert documented() == {row.name: (row.unit.value, row.sent_by.value, sources(row)) for row in TABLE}


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_what_is_sent_is_counted_as_the_table_takes_it(row):
    kinds = {name: kind.split()[0] for name, kind in metrics()}

    assert {kinds.get(source) for source in sources(row).split()} == {TYPES[type(row.measure)]}


def test_the_docs_have_the_correct_cost():
    text = PAGE.read_text()
    [custom, others, dollars] = re.findall(r"custom metrics \| (\d+), and (\d) of the backup \| ([\d.]+)", text)[0]
    [calls, each] = re.findall(r"60 × 24 × 30 = ([\d,]+) \| ([\d.]+)", text)[0]
    [processes, six_calls, six] = re.findall(r"(\d+) processes: ([\d,]+) \| ([\d.]+)", text)[0]
    [all_of_it] = re.findall(r"\*\*all, with two machines\*\* \| \| \*\*([\d.]+)\*\*", text)

    assert int(custom) == len(TABLE)
    assert float(dollars) == round(0.30 * (int(custom) + int(others)), 2)
    assert number(calls) == 60 * 24 * 30
    assert float(each) == round(0.01 * number(calls) / 1_000, 2)
    assert number(six_calls) == int(processes) * number(calls)
    assert float(all_of_it) == round(float(dollars) + float(six), 2)


def number(text: str) -> int:
    return int(text.replace(",", ""))


def test_every_alarm_uses_a_metric_that_is_sent():
    alarms = (ROOT / "deploy/terraform/alarms.tf").read_text()
    [listed] = re.findall(r"tms = \{\s*for name in \[([^\]]+)\]", alarms)
    awaited = {*re.findall(r'"(\w+)"', listed), *re.findall(r"local\.tms\.(\w+)", alarms)}

    assert awaited
    assert not awaited - {row.name for row in TABLE} - OF_THE_BACKUP


def test_the_metrics_of_the_backup_are_in_the_docs():
    assert all(f"`{name}`" in PAGE.read_text() for name in OF_THE_BACKUP)
