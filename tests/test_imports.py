"""Tests share helpers through tests/support, never through another test or a conftest.py.

A module imported from a test runs the setup of that test, and a fixture that is imported is defined twice.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
PROGRAMS = {"faults", "untrusted"}
"""Folders that are separate programs, whose parts other tests may use."""


def imported(path: Path) -> Iterator[str]:
    """Full names of the modules below `tests` that the module at `path` imports, and of what it imports from them."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("tests."))
        if isinstance(node, ast.ImportFrom):
            parents = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*parents, *filter(None, [node.module])])
            if module.split(".")[0] == "tests":
                yield from (f"{module}.{alias.name}" for alias in node.names)


def folder_of(name: str) -> str:
    """`notifications` of `tests.notifications.api.bodies.HOOK`; empty for modules directly in tests."""
    parts = name.split(".")
    return parts[1] if (TESTS / parts[1]).is_dir() else ""


@pytest.fixture(scope="module")
def imports() -> list[tuple[str, str]]:
    """Each import of a module below `tests` by another: path and name."""
    return sorted({(str(path.relative_to(ROOT)), name) for path in TESTS.rglob("*.py") for name in imported(path)})


def test_no_module_imports_from_a_test_or_a_conftest(imports):
    forbidden = [
        f"{path} imports {name}: move it to tests/support, or to a helper module beside the test; "
        "fixtures stay in conftest.py, where pytest finds them without an import"
        for path, name in imports
        if any(part == "conftest" or part.startswith("test_") for part in name.split("."))
    ]

    assert forbidden == []


def test_helpers_of_several_folders_are_in_support(imports):
    forbidden = [
        f"{path} imports {name}, which belongs to another folder: move it to tests/support"
        for path, name in imports
        if folder_of(name) not in {"", "support", *PROGRAMS, *Path(path).parts[1:2]}
    ]

    assert forbidden == []


@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("import tests.link.conftest", ["tests.link.conftest"]),
        ("from tests.link.conftest import enrol", ["tests.link.conftest.enrol"]),
        ("from .conftest import enrol", ["tests.link.conftest.enrol"]),
        ("from . import conftest", ["tests.link.conftest"]),
        ("from ..api.test_rules import HOT", ["tests.api.test_rules.HOT"]),
        ("from tms.notifications.destinations.test_send import send_test", []),
    ],
)
def test_each_form_of_import_is_found(tmp_path, monkeypatch, line, names):
    monkeypatch.setattr(f"{__name__}.ROOT", tmp_path)
    path = tmp_path / "tests/link/test_it.py"
    path.parent.mkdir(parents=True)
    path.write_text(line)

    assert list(imported(path)) == names
