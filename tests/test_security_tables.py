"""The tables about standards have a line for each requirement, and name tests and pages that exist."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.inventory import ROOT
from tms.accounts.passwords.words import MIN_OTHER_CHARACTERS, WORDS

FOLDER = ROOT / "docs/security"
PAGES = [FOLDER / "asvs.md", FOLDER / "pci-dss.md"]
ASVS = {
    "1": (2, 9, 11, 3, 2),
    "2": (3, 3, 4, 1),
    "3": (0, 2, 4, 6, 5, 0, 2),
    "4": (3, 1, 2, 4),
    "5": (1, 3, 2, 3),
    "6": (3, 12, 4, 4, 5, 3, 0, 4),
    "7": (3, 4, 2, 5, 2, 2),
    "8": (2, 3, 1, 1),
    "9": (3, 4),
    "10": (2, 2, 4, 11, 5, 2, 3),
    "11": (2, 3, 3, 4, 1, 1),
    "12": (3, 2, 4),
    "13": (1, 5, 2, 5),
    "14": (2, 4, 3),
    "15": (3, 3, 7),
    "16": (1, 5, 4, 3, 3),
    "17": (1, 4, 2),
}
"""How many requirements of level 1 and 2 each section of ASVS 5.0.0 has, by chapter: 253. They come first."""
PCI = (
    *(f"8.2.{n}" for n in range(1, 9)),
    *(f"8.3.{n}" for n in range(1, 12)),
    "8.3.10.1",
    *("8.4.1", "8.4.2", "8.4.3", "8.5.1", "8.6.1", "8.6.2", "8.6.3"),
    *("9.5.1", "9.5.1.1", "9.5.1.2", "9.5.1.2.1", "9.5.1.3"),
    "10.2.1",
    *(f"10.2.1.{n}" for n in range(1, 8)),
    "10.2.2",
    *(f"10.3.{n}" for n in range(1, 5)),
    *("10.4.1", "10.4.1.1", "10.4.2", "10.4.2.1", "10.4.3", "10.5.1"),
    *("10.6.1", "10.6.2", "10.6.3", "10.7.1", "10.7.2", "10.7.3"),
)
SHOWN = {"yes", "partly"}
ASSERTIONS = (ROOT / "deploy/terraform/tests/machines.tftest.hcl").read_text()


class Line(NamedTuple):
    page: Path
    numbers: tuple[str, ...]
    met: str
    how: str
    shown_by: str


def lines(page: Path) -> Iterator[Line]:
    for cells in re.findall(r"^\| (\d+\.\d[^|]*)\|([^|]*)\|([^|]*)\|([^|]*)\|$", page.read_text(), re.MULTILINE):
        title, met, how, shown_by = (cell.strip() for cell in cells)
        yield Line(page, tuple(numbers(title)), met.strip("*"), how, shown_by)


def numbers(title: str) -> Iterator[str]:
    """`6.8.1–6.8.4, 7.1.1 Sessions` → five of them."""
    listed = re.match(r"[\d.]+(–[\d.]+)?(, [\d.]+(–[\d.]+)?)*", title)
    assert listed
    for part in listed[0].split(", "):
        first, _dash, last = part.partition("–")
        section, _dot, start = first.rpartition(".")
        for n in range(int(start), int((last or first).rpartition(".")[2]) + 1):
            yield f"{section}.{n}"


def of_asvs() -> Iterator[str]:
    for chapter, counts in ASVS.items():
        for section, count in enumerate(counts, 1):
            yield from (f"{chapter}.{section}.{n}" for n in range(1, count + 1))


@pytest.mark.parametrize(("page", "expected"), [(PAGES[0], [*of_asvs()]), (PAGES[1], [*PCI])], ids=["asvs", "pci"])
def test_each_requirement_has_one_line(page, expected):
    found = Counter(number for line in lines(page) for number in line.numbers)

    assert found == Counter(expected)


def test_each_line_says_whether_it_is_met_and_names_what_shows_it():
    faults = {line.numbers[0]: found for page in PAGES for line in lines(page) if (found := [*faults_of(line)])}

    assert faults == {}


def faults_of(line: Line) -> Iterator[str]:
    tests = re.findall(r"`([^`]+)`", line.shown_by)
    pages = re.findall(r"\]\(([^)#]+)[^)]*\)", line.shown_by)
    if line.met not in {*SHOWN, "no", "n/a", "yours"}:
        yield f"{line.met} is no answer"
    if line.met in SHOWN and not tests and not pages:
        yield "names neither a test nor a page"
    if line.met != "yes" and not line.how:
        yield "gives no reason"
    yield from (f"{name} does not exist" for name in tests if not is_there(name))
    yield from (f"{name} does not exist" for name in pages if not (line.page.parent / name).exists())


def is_there(name: str) -> bool:
    if name.startswith("tftest: "):
        return f'"{name.removeprefix("tftest: ")}"' in ASSERTIONS
    path, _colons, test = name.partition("::")
    file = ROOT / "tests" / path
    return file.exists() and bool(re.search(rf"^ *(?:async )?def {test or 'test_'}", file.read_text(), re.MULTILINE))


def test_the_words_that_passwords_must_not_consist_of_are_documented():
    text = (ROOT / "docs/security.md").read_text()

    assert [word for word in WORDS if f"*{word}*" not in text] == []
    assert MIN_OTHER_CHARACTERS == 6
    assert "with fewer than six other letters and digits" in text
