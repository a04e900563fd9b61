"""The layout of the code: every package has its layer, and folders are small."""

import tomllib
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
PACKAGES = {f"tms.{path.parent.name}" for path in ROOT.glob("tms/*/__init__.py")}
SHARED_BY_TESTS = ("tests/support", "tests/faults")
MOST_MODULES = 20
NOT_COUNTED = {"__init__", "apps"}


def test_every_package_has_its_layer():
    layered = {name.strip(" ()") for layer in CONTRACTS["layers"]["layers"] for name in layer.split("|")}

    assert PACKAGES | {"consumers"} == layered


def test_no_module_is_beside_the_packages():
    assert [path.name for path in ROOT.glob("tms/*.py")] == ["__init__.py"]


@pytest.mark.parametrize("tree", ["tms", "consumers", "benchmarks", "deploy", "tools", "assets/js", *SHARED_BY_TESTS])
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
