"""Versions below which a known vulnerability would return."""

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
FLOORS = [
    ("daphne", "4.2.2"),  # CVE-2026-44545
]


def declared(name: str) -> Version:
    """The lowest version that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = map(Requirement, project["dependencies"])
    [requirement] = [one for one in wanted if one.name == name]
    return max(Version(bound.version) for bound in requirement.specifier if bound.operator in (">=", "~=", "=="))


def locked(name: str) -> Version:
    found = re.search(rf"^{name}==(\S+)", (ROOT / "requirements" / "server.txt").read_text(), re.MULTILINE)
    assert found
    return Version(found[1])


@pytest.mark.parametrize(("name", "floor"), FLOORS)
def test_a_version_with_a_known_vulnerability_is_neither_allowed_nor_locked_nor_installed(name, floor):
    assert min(declared(name), locked(name), Version(version(name))) >= Version(floor)
