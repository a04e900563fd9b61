"""The workflows pin what they use, have few permissions, and run only steps that a person can run, too."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.check.code import TEST_JOB_PREFIX
from deploy.processes.tms_process import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
MAY_DEPLOY = {"contents": "read", "checks": "read", "pull-requests": "read", "id-token": "write"}
"""The permissions with which the checklist can read the results of the tests and the approvals, and AWS can
authenticate the job.
"""
BEGUN = "(failure() || cancelled()) && steps.rollout.outputs.begun == 'yes'"
KNOWN = {"make", ".venv/bin/python"}


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


def steps() -> list[tuple[str, str]]:
    """Workflow and command of each `run:` step."""
    return [
        (path.name, step["run"])
        for path in WORKFLOWS
        for job in read(path)["jobs"].values()
        for step in job.get("steps", [])
        if "run" in step
    ]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_commit_and_names_its_version(path):
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())

    assert used
    for action, comment in used:
        assert action.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert action.startswith("./") or re.fullmatch(r" # v\d+\.\d+\.\d+", comment), (action, comment)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_job_has_more_permissions_than_listed(path):
    workflow = read(path)

    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        deploys = job.get("environment", {}).get("name") == "production"
        assert job["permissions"] == (MAY_DEPLOY if deploys else {"contents": "read"})


@pytest.mark.parametrize(("workflow", "command"), steps())
def test_each_step_is_one_command_in_this_repository(workflow, command):
    program, *arguments = command.split()

    assert "\n" not in command.strip()
    assert "${{" not in command  # input from outside comes from the environment
    assert program in KNOWN or (ROOT / program).is_file(), command
    if program == ".venv/bin/python":
        assert (ROOT / arguments[1].replace(".", "/") / "__main__.py").is_file()


def test_each_merge_is_deployed_once_and_one_after_the_other():
    workflow = read(ROOT / ".github/workflows/deploy.yml")
    result = (ROOT / ".github/workflows/deploy.yml").read_text()

    assert workflow[True] == {"push": {"branches": ["main"]}}  # `on`, which YAML reads as a boolean; and no tag
    assert workflow["concurrency"] == {"group": "deploy-production", "cancel-in-progress": False}
    assert "pull_request" not in result
    words = (
        "pipeline current",
        "pipeline alarms",
        "pipeline terminals",
        "pipeline/before",
        "pipeline/build",
        "pipeline sbom",
        "pipeline migrate",
        "pipeline roll-out",
        "pipeline/smoke",
        "pipeline watch",
        "pipeline mark-good",
        "deploy/rollback.sh",
    )
    order = [result.index(word) for word in words]
    assert order == sorted(order)


def deploy_job() -> Any:
    return read(ROOT / ".github/workflows/deploy.yml")["jobs"]["deploy"]


def test_only_a_rollout_that_began_is_rolled_back():
    names = [step.get("name", "") for step in deploy_job()["steps"]]
    conditions = {step["name"]: step["if"] for step in deploy_job()["steps"] if "if" in step}

    assert conditions == dict.fromkeys(("Sign in again", "Roll back", "Checklist after the rollback"), BEGUN)
    assert names[-3:] == list(conditions)


def test_the_credentials_last_longer_than_the_job_and_a_rollback_has_its_own():
    job = deploy_job()
    signed_in = [step["with"] for step in job["steps"] if "configure-aws-credentials" in step.get("uses", "")]

    assert len(signed_in) == 2
    assert {each["role-duration-seconds"] for each in signed_in} == {7200}
    assert job["timeout-minutes"] * 60 < 7200


def test_the_smoke_test_gets_the_alarms_from_before():
    smoked = [step for step in job_steps() if step.get("run", "").startswith("deploy/pipeline/smoke")]

    assert len(smoked) == 3
    assert all('--alarms-before "$ALARMS"' in step["run"] for step in smoked)
    assert ['--terminals-before "$TERMINALS"' in step["run"] for step in smoked] == [True, True, False]
    assert {step["env"]["ALARMS"] for step in smoked} == {"${{ steps.alarms.outputs.names }}"}


def test_an_advisory_is_not_one_of_the_tests_that_a_commit_must_pass():
    jobs = read(ROOT / ".github/workflows/test.yml")["jobs"]

    names = {name: job["name"].startswith(TEST_JOB_PREFIX) for name, job in jobs.items()}
    assert names == {"suite": True, "terraform": True, "image": True, "audit": False}


def job_steps() -> list[Any]:
    steps: list[Any] = deploy_job()["steps"]
    return steps


def test_terraform_is_pinned_here_and_in_the_docs():
    [pinned] = re.findall(r"terraform_version: (\d+\.\d+\.\d+) ", (ROOT / ".github/workflows/test.yml").read_text())

    for page in ("deploying.md", "deploying.ja.md"):
        assert pinned in (ROOT / "docs" / page).read_text()


def test_a_lock_of_providers_comes_from_the_real_registry_for_people_and_for_the_pipeline():
    """The stub of tfkit makes one, too, which must never be committed: it has no zip hashes."""
    for lock in (ROOT / "deploy/terraform").rglob(".terraform.lock.hcl"):
        text = lock.read_text()
        providers = re.findall(r'provider "([^"]+)" \{(.*?)^\}', text, re.MULTILINE | re.DOTALL)

        assert providers
        for name, body in providers:
            assert name.startswith("registry.terraform.io/hashicorp/")
            assert body.count('"h1:') >= 2  # linux_amd64 and darwin_arm64
            assert '"zh:' in body
