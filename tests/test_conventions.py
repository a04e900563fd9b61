"""The code and the documentation agree. A failure names what is missing, and where."""

import ast
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest
from django.core.management import get_commands

from tests.support import inventory
from tests.support.inventory import INSTRUMENTS, ROOT
from tms.alerts.models import IncidentTransitionKind, TransitionKind
from tms.clock.jobs import LOOPS

DOCS = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("README*.md"), ROOT / "docs/asyncapi.yaml"])
EXAMPLE = ROOT / ".env.example"
SETTINGS, METRICS, URLS = (ROOT / "docs" / name for name in ("settings.md", "metrics.md", "urls.md"))
ALERTING, ASYNCAPI = ROOT / "docs/alerting.md", ROOT / "docs/asyncapi.yaml"
OF_OTHERS = {"TMS_CHROMIUM", "TMS_CREDENTIAL", "TMS_FOLDER", "TMS_URL"}
"""Variables that no part of TMS reads: of the tests, and of clients that `tms-conformance` starts."""


def rows(page: Path, pattern: str) -> set:
    """The cells that `pattern` finds in the first columns of the tables of `page`."""
    return set(re.findall(rf"^\| {pattern}", page.read_text(), re.MULTILINE))


def compare(what: str, *, code: set, result: set, page: Path) -> None:
    name = page.relative_to(ROOT)
    assert not code - result, f"{name} lacks the {what} {listed(code - result)}"
    assert not result - code, f"{name} lists the {what} {listed(result - code)}, which the code does not have"


def listed(names: set) -> str:
    return ", ".join(sorted(name if isinstance(name, str) else " ".join(name).strip() for name in names))


# Histories


@pytest.mark.parametrize(
    ("head", "kinds"), [("| kind | |", TransitionKind), ("| kind in its history | |", IncidentTransitionKind)]
)
def test_every_transition_is_documented(head, kinds):
    table = ALERTING.read_text().partition(f"\n{head}\n")[2].partition("\n\n")[0]
    documented = {name for row in table.splitlines() for name in re.findall(r"`([\w-]+)`", row.split("|")[1])}

    compare("transitions", code=set(kinds.values), result=documented, page=ALERTING)


# Settings


def test_every_setting_is_documented():
    compare("settings", code=inventory.variables(), result=rows(SETTINGS, r"`(TMS_[A-Z_]+)` \|"), page=SETTINGS)


def test_the_example_has_every_setting():
    result = set(re.findall(r"^#(TMS_[A-Z_]+)=", EXAMPLE.read_text(), re.MULTILINE))

    compare("settings", code=inventory.settings(), result=result, page=EXAMPLE)


@pytest.mark.parametrize("page", [SETTINGS, EXAMPLE], ids=lambda page: page.name)
def test_a_page_has_the_defaults_of_the_code(page):
    lines = r"^#(TMS_[A-Z_]+)=(.*)$" if page == EXAMPLE else r"^\| `(TMS_[A-Z_]+)` \| `([^`]*)` \|"
    result = dict(re.findall(lines, page.read_text(), re.MULTILINE))

    defaults = {name: default for name, default in inventory.literal_defaults().items() if default}

    compare(
        "defaults",
        code=set(defaults.items()),
        result={pair for pair in result.items() if pair[0] in defaults},
        page=page,
    )


@pytest.mark.parametrize("page", DOCS, ids=lambda page: page.name)
def test_no_page_names_a_removed_setting(page):
    result = {name.removesuffix("_FILE") for name in re.findall(r"\bTMS_[A-Z_]*[A-Z]\b", page.read_text())}
    gone = result - inventory.variables() - inventory.variables_of_machines() - OF_OTHERS

    assert not gone, f"{page.relative_to(ROOT)} names {listed(gone)}, which nothing reads"


def test_every_setting_is_used():
    unused = inventory.settings_that_nothing_uses()

    assert not unused, f"tms/config/settings.py reads {listed(unused)}, and nothing uses it"


# Metrics


def test_every_metric_is_documented_with_its_type_and_labels():
    result = {(name, re.sub("[`,]", "", kind)) for name, kind in rows(METRICS, r"`(tms_\w+)` \| ([^|]+) \|")}

    compare("metrics", code=inventory.metrics(), result=result, page=METRICS)


def test_every_metric_is_recorded_somewhere():
    idle = INSTRUMENTS.keys() - inventory.found_in_code(r"\b[A-Z_]{4,}\b", besides="instruments.py")

    assert not idle, f"tms/metrics/instruments.py declares {listed(idle)}, and nothing counts it"


def test_every_loop_of_the_clock_is_named():
    result = METRICS.read_text().partition("\n### Loops of the clock\n")[2].partition("\n#")[0]

    assert {loop.name for loop in LOOPS} - set(re.findall(r"`(\w+)`", result)) == set()


# Commands, frames, codes


def test_every_management_command_is_documented():
    result = "".join(page.read_text() for page in DOCS)
    missing = {name for name in inventory.commands() if not re.search(rf"(manage\.py |`){name}\b", result)}

    assert not missing, f"docs/operating.md lacks the commands {listed(missing)}"


@pytest.mark.parametrize("page", [*DOCS, EXAMPLE], ids=lambda page: page.name)
def test_no_page_names_a_removed_command(page):
    gone = set(re.findall(r"manage\.py ([a-z_]+)", page.read_text())) - get_commands().keys()

    assert not gone, f"{page.relative_to(ROOT)} names manage.py {listed(gone)}"


def test_every_frame_is_documented():
    result = ASYNCAPI.read_text()
    missing = {method for method in inventory.frames() if not re.search(rf"const: {method}\b", result)}

    assert not missing, f"docs/asyncapi.yaml lacks the frames {listed(missing)}"


def test_every_close_code_is_documented():
    compare("close codes", code=inventory.close_codes(), result=rows(URLS, r"(\d{4}) \|"), page=URLS)


def test_every_error_type_is_documented():
    compare("error types", code=inventory.error_types(), result=rows(URLS, r"`(tms:[a-z-]+)` \|"), page=URLS)


# URLs


def test_every_url_is_documented_by_path_and_name():
    result = {(path, name) for path, name in rows(URLS, r"`(/[^`]*)` \|(?: `([\w-]+)` \|)?")}
    served_by_whitenoise = {("/static/", "")}
    known = inventory.addresses() | inventory.sockets() | served_by_whitenoise

    compare("addresses", code=known, result=result, page=URLS)


# Layers


def test_the_layers_of_the_architecture_are_those_of_the_contract():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    [layers] = (contract["layers"] for contract in contracts if contract["id"] == "layers")
    section = (ROOT / "docs/architecture.md").read_text().partition("## Who may import whom")[2]

    assert section.split("```")[1].split("\n")[1:-1] == layers


# Pages

PAGES = sorted([*(ROOT / "docs").rglob("*.md"), *ROOT.glob("*.md")])


@cache
def anchors(page: Path) -> set[str]:
    """The anchors that code hosts derive from headings, and those of a translation that keep the English name."""
    text = page.read_text()
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    named = set(re.findall(r'<a id="([\w-]+)"></a>', text))
    return named | {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(link: str, page: Path) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in anchors(target))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_can_be_resolved(page):
    links = re.findall(r"\]\((?!https?:)([^)\s]+)\)", page.read_text())
    dead = {link for link in links if not leads_somewhere(link, page)}

    assert not dead, f"{page.relative_to(ROOT)} links to {listed(dead)}, which is not there"


# Docstrings

PREPOSITION = re.compile(
    r"(about|above|across|after|against|along|among|around|as|at|before|behind|below|besides?|between|beyond|by|despite"
    r"|during|except|for|from|in|inside|into|like|of|off|on|onto|out|outside|over|per|since|than|those|through|to"
    r"|towards?|under|until|upon|via|with|within|without)(?![\w-])",
    re.IGNORECASE,
)


def sources() -> Iterator[Path]:
    for name in subprocess.check_output(["git", "ls-files", "*.py"], cwd=ROOT, text=True).splitlines():
        if "/migrations/" not in name and (ROOT / name).exists():
            yield ROOT / name


class Module(NamedTuple):
    """What is written in one module."""

    path: Path
    is_empty: bool
    docstring: str | None
    texts: list[ast.Constant]
    """The docstrings of the module, its classes and functions, and the texts below constants and fields."""


def texts_in(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()) as text):
                yield text


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    trees = ((path, ast.parse(path.read_text())) for path in sources())
    return [Module(path, not tree.body, ast.get_docstring(tree), list(texts_in(tree))) for path, tree in trees]


def test_every_module_has_a_first_sentence(modules):
    described = (one for one in modules if not one.path.name.startswith("test_") and one.path.name != "conftest.py")
    silent = {str(one.path.relative_to(ROOT)) for one in described if not one.is_empty and not one.docstring}

    assert not silent, f"say what these are: {listed(silent)}"


def test_docstrings_stand_alone(modules):
    elliptic = {
        f"{one.path.relative_to(ROOT)}:{text.lineno}"
        for one in modules
        for text in one.texts
        if PREPOSITION.match(text.value.strip())
    }

    assert not elliptic, f"begin with a subject or a verb, and not with a preposition: {listed(elliptic)}"
