"""Numbers and names on the pages about AWS."""

import re

import pytest

from deploy.check.aws.alarms import ALARMS
from deploy.pipeline.switch import PLANNED_S, SWITCH_S, planned_s
from deploy.processes.tms_process import ROOT
from tests.support import inventory
from tms.ops.cloudwatch.table import TABLE

DOCS = ROOT / "docs"
NUMBERS = {
    "aws.md": (f"{len(TABLE)} metrics in all", f"{len(ALARMS)} alarms in all"),
    "deploying.md": (f"{len(ALARMS)} alarms",),
    "deploying.ja.md": (f"アラーム {len(ALARMS)} 個",),
    "cloudwatch.md": (f"| custom metrics | {len(TABLE)}, and 2 of the backup |",),
}
OF_SCRIPTS = {"TMS_ENVIRONMENT", "TMS_NAME", "TMS_STATIC_URL"}


@pytest.mark.parametrize("page", NUMBERS)
def test_the_numbers_of_metrics_and_alarms_are_correct(page):
    text = (DOCS / page).read_text()

    assert [number for number in NUMBERS[page] if number not in text] == []


@pytest.mark.parametrize("page", ["aws.md", "deploying.md", "deploying.ja.md", "runbook.md", "runbook.ja.md"])
def test_every_named_variable_exists(page):
    named = set(re.findall(r"`(TMS_[A-Z_]+[A-Z])`", (DOCS / page).read_text()))

    assert named - inventory.variables() - OF_SCRIPTS == set()


def rehearsed(page: str, heading: str) -> list[str]:
    """The rows below `heading`, without the header."""
    table = (DOCS / page).read_text().partition(heading)[2]
    return re.findall(r"^\| .*$", table, re.MULTILINE)[1:]


def test_both_languages_list_the_same_rehearsals():
    english = rehearsed("deploying.md", "## Rehearse in a sandbox first")
    japanese = rehearsed("deploying.ja.md", "## まずサンドボックスでリハーサルする")

    codes = [[sorted(re.findall(r"`([a-z]+/[\w./-]+)", row)) for row in rows] for rows in (english, japanese)]
    assert len(english) == len(japanese) > 12
    assert codes[0] == codes[1]


@pytest.mark.parametrize("page", ["deploying.md", "deploying.ja.md"])
def test_the_plan_of_a_deployment_is_that_of_the_pipeline(page):
    text = (DOCS / page).read_text()
    rows = [int(number) for number in re.findall(r"^\| [^|]+ \| (\d+) \|$", text, re.MULTILINE)]

    *first, last = PLANNED_S.values()
    assert rows == [*first, SWITCH_S, last]
    assert all(str(planned_s(machines)) in text for machines in (2, 6))
