"""deploy/terraform, run by the real Terraform. The assertions are in tests/*.tftest.hcl."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tools.tfkit.check import Report, check, mirror
from tools.tfkit.toolchain import ROOT, Toolchain

CONFIGURATION = ROOT / "deploy/terraform"
PRODUCTION = "env/production.tfvars"
GUARDS = "tests/guards.tftest.hcl"
ASSOCIATION = """\
resource "aws_wafv2_web_acl_association" "balancer" {
  resource_arn = aws_lb.main.arn
  web_acl_arn  = aws_wafv2_web_acl.main.arn
}
"""

type Mistake = tuple[str, str, str]
"""A file, a text in it, and its replacement."""

MISSPELT = ("balancer.tf", "idle_timeout ", "idle_timeuot ")
UNGUARDED = ("waf.tf", ASSOCIATION, "")
PUBLIC = ("database.tf", "publicly_accessible    = false", "publicly_accessible    = true")
HOMELESS = ("database.tf", "  db_subnet_group_name   = aws_db_subnet_group.main.name\n", "")


def runs(folder: Path) -> int:
    return sum(len(re.findall(r'^run "', path.read_text(), re.MULTILINE)) for path in folder.glob("tests/*.tftest.hcl"))


def described(report: Report) -> str:
    return "\n".join(map(str, report.problems))


def test_the_plan_of_production_is_correct_on_machines_and_in_containers(toolchain: Toolchain):
    report = check(CONFIGURATION, toolchain, variables=PRODUCTION)

    assert report.ok, described(report)
    assert report.passed == runs(CONFIGURATION)


def test_the_bucket_of_the_state_is_correct(toolchain: Toolchain):
    report = check(CONFIGURATION / "bootstrap", toolchain)

    assert report.ok, described(report)
    assert report.passed == runs(CONFIGURATION / "bootstrap")


@pytest.fixture(scope="module")
def output_of(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., str]:
    """Output for a configuration with mistakes. Several at once, because each check takes seconds."""

    @cache
    def message(*mistakes: Mistake) -> str:
        root = tmp_path_factory.mktemp("mistakes")
        copy = root / "deploy/terraform"
        shutil.copytree(CONFIGURATION, copy, ignore=shutil.ignore_patterns("bootstrap"))
        for slow in {*copy.glob("tests/*.tftest.hcl")} - {copy / GUARDS}:
            slow.unlink()
        shutil.copytree(ROOT / "deploy/machine", root / "deploy/machine")
        (root / "docs").mkdir()
        shutil.copy(ROOT / "docs/settings.md", root / "docs")
        for file, good, bad in mistakes:
            text = (copy / file).read_text()
            assert good in text
            (copy / file).write_text(text.replace(good, bad, 1))
        return described(check(copy, toolchain, root=root, variables=PRODUCTION))

    return message


def test_a_misspelt_argument_is_caught(output_of):
    assert 'An argument named "idle_timeuot" is not expected here' in output_of(MISSPELT)


def test_a_waf_that_is_attached_to_nothing_is_caught(output_of):
    message = output_of(UNGUARDED, PUBLIC, HOMELESS)

    assert 'resource "aws_wafv2_web_acl_association" "balancer" has not been declared' in message


def test_a_public_database_is_caught(output_of):
    assert "The database must not be public" in output_of(UNGUARDED, PUBLIC, HOMELESS)


def test_a_database_without_its_subnets_is_caught(output_of):
    """If omitted, RDS would choose them, which the guard cannot know."""
    line = guarded_line("db_subnet_group_name")

    assert f"guards.tftest.hcl:{line}: error: Unknown condition value" in output_of(UNGUARDED, PUBLIC, HOMELESS)


def guarded_line(words: str) -> int:
    lines = (CONFIGURATION / GUARDS).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if words in line)


def test_the_first_release_is_published_before_cloudfront_and_database(toolchain: Toolchain, tmp_path: Path):
    """The first apply of docs/deploying.md takes minutes, because it depends on no slow resource."""
    guide = (ROOT / "docs/deploying.md").read_text()
    targets = {name.split("[")[0] for name in re.findall(r"-target '?([\w.]+(?:\[\"\w+\"\])?)", guide)}

    behind = closure(targets, edges(toolchain, tmp_path))

    assert targets
    assert "aws_s3_bucket.main" in behind
    assert not [name for name in behind if re.match(r"aws_(cloudfront|acm|db_instance|elasticache|lb)", name)]


def edges(toolchain: Toolchain, folder: Path) -> dict[str, set[str]]:
    """The dependencies of each resource."""
    copy = mirror(CONFIGURATION, ROOT, folder / "tree")
    (copy / "override.tf").write_text('terraform {\n  backend "local" {}\n}\n')  # that in S3 would be requested
    settings = os.environ | {"TF_DATA_DIR": str(folder / "data")}
    for words in (["init", "-input=false", f"-plugin-dir={toolchain.plugins}"], ["graph"]):
        done = subprocess.run(
            [toolchain.terraform, *words], cwd=copy, env=settings, check=False, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    found: dict[str, set[str]] = {}
    for needs, needed in re.findall(r'"([\w.]+)" -> "([\w.]+)"', done.stdout):
        found.setdefault(needs, set()).add(needed)
    return found


def closure(names: set[str], needs: dict[str, set[str]]) -> set[str]:
    found, ahead = set(names), list(names)
    while ahead:
        fresh = needs.get(ahead.pop(), set()) - found
        found |= fresh
        ahead.extend(fresh)
    return found
