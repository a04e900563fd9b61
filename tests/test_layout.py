"""The contracts on who may import whom name every package, so that a new one cannot slip past them."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
CONTRACTS = {
    contract["id"]: contract
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
}
PACKAGES = {f"tms.{path.parent.name}" for path in ROOT.glob("tms/*/__init__.py")}


def test_every_package_has_its_layer():
    layered = {name.strip(" ()") for layer in CONTRACTS["layers"]["layers"] for name in layer.split("|")}

    assert PACKAGES - layered == set()


def test_the_agent_may_import_no_package_but_the_protocol():
    forbidden = set(CONTRACTS["agent"]["forbidden_modules"])

    assert PACKAGES - forbidden == {"tms.agent", "tms.protocol"}
