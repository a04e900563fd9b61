"""deploy/terraform, run by the real Terraform. What it asserts stands beside it, in tests/*.tftest.hcl."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.tfkit.check import Report, check
from deploy.tfkit.toolchain import ROOT, Toolchain

CONFIGURATION = ROOT / "deploy/terraform"
PRODUCTION = "env/production.tfvars"
GUARDS = "tests/guards.tftest.hcl"
ASSOCIATION = re.compile(r'resource "aws_wafv2_web_acl_association".*?\n}\n', re.DOTALL)

type Change = Callable[[str], str]


def instead(good: str, bad: str) -> Change:
    return lambda text: text.replace(good, bad, 1)


MISTAKES = [
    pytest.param(
        "balancer.tf",
        instead("idle_timeout ", "idle_timeuot "),
        'balancer.tf:.* Unsupported argument. An argument named "idle_timeuot" is not expected here',
        id="a misspelt argument",
    ),
    pytest.param(
        "database.tf",
        instead("  db_subnet_group_name   = aws_db_subnet_group.main.name\n", ""),
        # Left out, it would be RDS's choice: the guard cannot know it.
        r"guards\.tftest\.hcl:\d+: error: Unknown condition value",
        id="no subnet group",
    ),
    pytest.param(
        "database.tf",
        instead("publicly_accessible    = false", "publicly_accessible    = true"),
        "The database must not be public",
        id="a public database",
    ),
    pytest.param(
        "waf.tf",
        lambda text: ASSOCIATION.sub("", text),
        r'aws_wafv2_web_acl_association" "balancer" has not been declared',
        id="a WAF that stands before nothing",
    ),
]


def runs(folder: Path) -> int:
    return sum(len(re.findall(r'^run "', path.read_text(), re.MULTILINE)) for path in folder.glob("tests/*.tftest.hcl"))


def told(report: Report) -> str:
    return "\n".join(map(str, report.problems))


def test_production_is_what_it_should_be_on_machines_and_in_containers(toolchain: Toolchain):
    report = check(CONFIGURATION, toolchain, variables=PRODUCTION)

    assert report.ok, told(report)
    assert report.passed == runs(CONFIGURATION)


def test_the_bucket_of_the_state_is_what_it_should_be(toolchain: Toolchain):
    report = check(CONFIGURATION / "bootstrap", toolchain)

    assert report.ok, told(report)
    assert report.passed == runs(CONFIGURATION / "bootstrap")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The configuration, with the guards as its only tests."""
    ignored = shutil.ignore_patterns("bootstrap", "machines.tftest.hcl", "containers.tftest.hcl", "inputs.tftest.hcl")
    shutil.copytree(CONFIGURATION, tmp_path / "deploy/terraform", ignore=ignored)
    shutil.copytree(ROOT / "deploy/machine", tmp_path / "deploy/machine")
    return tmp_path / "deploy/terraform"


def test_the_guards_find_nothing_in_the_configuration_as_it_is(copy: Path, toolchain: Toolchain):
    report = check(copy, toolchain, root=copy.parent.parent, variables=PRODUCTION)

    assert report.ok, told(report)
    assert report.passed == runs(copy)


@pytest.mark.parametrize(("file", "change", "message"), MISTAKES)
def test_a_mistake_is_caught(copy: Path, toolchain: Toolchain, file: str, change: Change, message: str):
    path = copy / file
    good = path.read_text()
    path.write_text(change(good))
    assert path.read_text() != good

    report = check(copy, toolchain, root=copy.parent.parent, variables=PRODUCTION)

    assert re.search(message, told(report)), told(report)
