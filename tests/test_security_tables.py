"""The tables about standards name tests and pages that exist."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tests.support.inventory import ROOT
from tms.accounts.passwords.product_words import MIN_OTHER_CHARACTERS, WORDS

FOLDER = ROOT / "docs/security"
PAGES = [FOLDER / "asvs.md", FOLDER / "pci-dss.md"]
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
