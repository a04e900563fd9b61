"""Terraform as people call it: always with the values of their environment."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.tfkit.toolchain import ROOT

WRAPPER = ROOT / "deploy/terraform/tf"
NEEDS_VALUES = ("plan", "apply", "destroy", "import", "refresh", "console")
BARE = re.compile(rf"(?<![\w/-])terraform ({'|'.join(NEEDS_VALUES)})\b(?! -var-file)")
BOOTSTRAP = "terraform init && terraform apply"
"""That of the bucket of the state has no values."""


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """The wrapper with a Terraform that prints its arguments."""
    folder = tmp_path / "deploy/terraform"
    (folder / "env").mkdir(parents=True)
    shutil.copy(WRAPPER, folder)
    for name in ("production", "trial"):
        (folder / "env" / f"{name}.tfvars").touch()
    (tmp_path / "terraform").write_text('#!/bin/sh\necho "$*"\n')
    (tmp_path / "terraform").chmod(0o755)
    return folder


def asked(configuration: Path, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    path = {"PATH": f"{configuration.parents[1]}:{os.environ['PATH']}"}
    command = [configuration / "tf", *words]
    return subprocess.run(command, env=os.environ | path | settings, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("command", NEEDS_VALUES)
def test_each_command_that_needs_values_gets_those_of_the_environment(configuration, command):
    done = asked(configuration, command, "-target", "aws_wafv2_ip_set.known")
    other = asked(configuration, command, TMS_ENVIRONMENT="trial")

    assert done.stdout.split()[1:] == [command, "-var-file=env/production.tfvars", "-target", "aws_wafv2_ip_set.known"]
    assert other.stdout.split()[1:] == [command, "-var-file=env/trial.tfvars"]


def test_other_commands_get_no_values_and_an_unknown_environment_is_refused(configuration):
    unknown = asked(configuration, "apply", TMS_ENVIRONMENT="prod")

    assert asked(configuration, "output", "-raw", "url").stdout.split()[1:] == ["output", "-raw", "url"]
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert "env/prod.tfvars does not exist" in unknown.stderr


def texts() -> Iterator[Path]:
    """What people paste from."""
    yield from (ROOT / "docs").glob("*.md")
    for pattern in ("*.md", "*.tf", "*.tfvars", "*.sh", "*.py"):
        yield from (path for path in (ROOT / "deploy").rglob(pattern) if "bootstrap" not in path.parts)


def test_no_document_calls_terraform_without_values():
    """It would take defaults: e-mail, people on call and sizes would be removed."""
    bare = {
        f"{path.relative_to(ROOT)}:{number}"
        for path in texts()
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if BARE.search(line) and BOOTSTRAP not in line
    }

    assert bare == set()
