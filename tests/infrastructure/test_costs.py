"""The table of costs: each total is the sum of its parts, in both languages, and covers what is billed."""

import re
from typing import NamedTuple

import pytest

from tools.tfkit.toolchain import ROOT

DOCS = ROOT / "docs"
PAGES = {"en": DOCS / "deploying.md", "ja": DOCS / "deploying.ja.md"}
SIZE = re.compile(
    r"^\| (?:[\d,]+(?: to |〜))?([\d,]+) \| (?:(\d+) × t3\.medium|t3\.medium × (\d+)) \| (\S+)"
    r" \| ([\d,]+) GB \| (\d+) LCU \| (?:\$([\d,]+)|([\d,]+) ドル) \|$",
    re.MULTILINE,
)
ROUNDED = 50
"""Totals are rounded, in dollars."""


class Size(NamedTuple):
    terminals: int
    machines: int
    database: str
    storage_gb: int
    lcu: int
    dollars: int


def sizes(text: str) -> list[Size]:
    found = (SIZE.fullmatch(line) for line in text.splitlines())
    rows = [[group.replace(",", "") for group in row.groups() if group] for row in found if row]
    return [Size(int(a), int(b), c, int(d), int(e), int(f)) for a, b, c, d, e, f in rows]


def prices(text: str) -> list[list[float]]:
    """The numbers of each row, in the order of the table."""
    table = re.split(r"^\| (?:per month|月額) \| (?:\$|ドル) \| \|$", text, flags=re.MULTILINE)[1]
    rows = re.findall(r"^\| [^|]+ \| ([^|]+) \|", table.split("\n\n")[0], re.MULTILINE)
    return [[float(number) for number in re.findall(r"\d+(?:\.\d+)?", row.replace(",", ""))] for row in rows]


@pytest.mark.parametrize("language", PAGES)
def test_each_total_is_the_sum_of_its_parts(language):
    text = PAGES[language].read_text()
    machine, databases, disk, balancer, nat, endpoints, redis, others, snapshots, dumps, internet, zones = prices(text)
    gb = disk[0] + snapshots[0] + dumps[0]
    moved = internet[0] + zones[0]

    assert len(sizes(text)) == 4
    for size in sizes(text):
        database = databases[size.database != "db.t3.medium"]
        fixed = balancer[0] + nat[0] + endpoints[0] + redis[0] + others[0]
        total = machine[0] * size.machines + database + gb * size.storage_gb + balancer[1] * size.lcu + fixed
        assert abs(total + moved * size.terminals / 1000 - size.dollars) < ROUNDED, size


def test_both_languages_have_the_same_costs():
    english, japanese = (PAGES[language].read_text() for language in PAGES)

    assert sizes(english) == sizes(japanese)
    assert prices(english) == prices(japanese)
