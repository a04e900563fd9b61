"""Every target of the Makefile works from a fresh clone: what it runs is installed and built before."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("Makefile", "agent", "package.json", "package-lock.json", "static", "locale", "requirements", "scripts")
TARGETS = re.findall(r"^([a-z-]+):.*?## ", (ROOT / "Makefile").read_text(), re.MULTILINE)

PYTHON, NODE, STATIC, MESSAGES = "scripts/bootstrap", "scripts/node-packages", "node static/build.js", "save_as_mofile"
EVERYTHING = {PYTHON, NODE, STATIC, MESSAGES}
NEEDS = {
    ".venv/bin/": {PYTHON},
    "node_modules/.bin/": {NODE},
    "node static/build.js": {NODE},
    "manage.py demo": EVERYTHING,
    "-m deploy.cluster": EVERYTHING,
    "-m tests.": EVERYTHING,
    "-m benchmarks": EVERYTHING,
}
"""What a command needs: processes of TMS serve pages, for which styles, scripts and translations are built."""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources that make reads, without anything that was built."""
    folder = tmp_path_factory.mktemp("clone")
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("*.mo", "__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


@pytest.mark.parametrize("target", [name for name in TARGETS if name not in ("help", "clean")])
def test_a_target_builds_what_it_needs_before_it_needs_it(clone, target):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    dry_run = subprocess.run(
        ["make", "--dry-run", target], cwd=clone, env=environment, capture_output=True, text=True, check=True
    )
    planned = dry_run.stdout.splitlines()

    missing = {
        (line, need)
        for number, line in enumerate(planned)
        for part, needs in NEEDS.items()
        if part in line
        for need in needs
        if not any(need in earlier for earlier in planned[:number])
    }
    assert missing == set()
