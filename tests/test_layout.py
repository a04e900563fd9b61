"""The layout of the code: every package has its layer, and folders are small."""

import tomllib
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
OF_APPS = {contract["containers"][0]: contract["layers"] for contract in CONTRACTS.values() if "containers" in contract}
ENTRY_POINTS = {"management", "migrations", "templatetags"}
"""Packages of an app that Django loads. They stand above its layers."""
PACKAGES = {f"tms.{path.parent.name}" for path in ROOT.glob("tms/*/__init__.py")}
SHARED_BY_TESTS = ("tests/support", "tests/faults")
MOST_MODULES = 20
NOT_COUNTED = {"__init__", "apps"}


def rows(layers: list[str]) -> list[list[str]]:
    """The packages of each layer of a contract."""
    return [[name.strip() for name in layer.split("|")] for layer in layers]


def test_every_package_has_its_layer():
    assert PACKAGES | {"consumers"} == set(chain.from_iterable(rows(CONTRACTS["layers"]["layers"])))


@pytest.mark.parametrize("app", OF_APPS)
def test_every_package_of_an_app_with_layers_has_one(app):
    folder = ROOT / app.replace(".", "/")
    packages = {path.parent.name for path in folder.glob("*/__init__.py")} - ENTRY_POINTS

    assert packages - set(chain.from_iterable(rows(OF_APPS[app]))) == set()


def test_no_module_is_beside_the_packages():
    assert [path.name for path in ROOT.glob("tms/*.py")] == ["__init__.py"]


@pytest.mark.parametrize(
    "tree", ["tms", "consumers", "agent/src", "benchmarks", "deploy", "tools", "static/js", *SHARED_BY_TESTS]
)
def test_a_folder_holds_twenty_modules_at_most(tree):
    modules = [path for path in (ROOT / tree).rglob("*.[pj][ys]") if "migrations" not in path.parts]
    count = Counter(str(path.parent.relative_to(ROOT)) for path in modules if path.stem not in NOT_COUNTED)

    assert {folder: number for folder, number in count.items() if number > MOST_MODULES} == {}


def test_shared_helpers_are_in_support():
    """The only modules beside the tests are those that start them."""
    assert sorted(path.name for path in (ROOT / "tests").glob("*.py") if not path.name.startswith("test_")) == [
        "__init__.py",
        "conftest.py",
        "suite.py",
    ]
