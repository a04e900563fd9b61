"""The workflows pin what they use, may do little, and run only what a person can run too."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.cluster.process import ROOT

WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
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
def test_every_action_is_pinned_by_commit_and_says_its_version(path):
    used = re.findall(r"uses: (\S+)(.*)", path.read_text())

    assert used
    for action, comment in used:
        assert action.startswith("./") or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert action.startswith("./") or re.fullmatch(r" # v\d+\.\d+\.\d+", comment), (action, comment)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_job_may_more_than_it_says(path):
    workflow = read(path)

    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"].items() <= {"contents": "read", "id-token": "write"}.items()
        assert ("id-token" in job["permissions"]) == (job.get("environment", {}).get("name") == "production")


@pytest.mark.parametrize(("workflow", "command"), steps())
def test_each_step_is_one_command_that_is_here(workflow, command):
    program, *arguments = command.split()

    assert "\n" not in command.strip()
    assert "${{" not in command  # what comes from outside comes by the environment
    assert program in KNOWN or (ROOT / program).is_file(), command
    if program == ".venv/bin/python":
        assert (ROOT / arguments[1].replace(".", "/") / "__main__.py").is_file()


def test_nothing_is_deployed_that_was_not_tested_and_one_after_the_other():
    workflow = read(ROOT / ".github/workflows/deploy.yml")
    told = (ROOT / ".github/workflows/deploy.yml").read_text()

    assert workflow["jobs"]["deploy"]["needs"] == "test"
    assert workflow["concurrency"] == {"group": "deploy-production", "cancel-in-progress": False}
    assert "pull_request" not in told
    order = [
        told.index(word) for word in ("pipeline current", "pipeline/build", "pipeline migrate", "pipeline roll-out")
    ]
    assert order == sorted(order)
    assert told.index("pipeline/smoke") < told.index("deploy/rollback.sh")
