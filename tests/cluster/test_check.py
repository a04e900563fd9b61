"""The checklist after a deployment, against the cluster: every check that needs no AWS passes."""

import os
import re
import subprocess
import sys
from typing import Any

import pytest

from deploy.processes.tms_process import ROOT, clean_environment
from tests.cluster.settings import PASSWORD

pytestmark = pytest.mark.services

WITHOUT_AWS = {
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": "/dev/null",
    "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
}
UNSEEN_HERE = {
    "HTTPS redirect",
    "Healthy hosts",
    "Load balancer latency",
    "Log collection",
    "Metric delivery",
    "No new alarms",
    "Reports acknowledged",
    "Scaling",
    "Server errors",
    "Terminals connected",
    "WAF",
}
LINE = re.compile(r"^  \[(.)\] ([^:]+): (.*)$", re.MULTILINE)


@pytest.fixture
def check(cluster, rows) -> Any:
    """Run it, and return the mark and the result of each check, by its title."""

    def run(*arguments: str, **environment: str) -> tuple[int, dict[str, tuple[str, str]], str]:
        inherited = {name: value for name, value in clean_environment().items() if not name.startswith("AWS_")}
        done = subprocess.run(
            [ROOT / "deploy/check.sh", *arguments],
            env=inherited | WITHOUT_AWS | {"PYTHON": sys.executable, "LANG": "C.UTF-8"} | environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert not done.stderr
        return done.returncode, {title: (mark, found) for mark, title, found in LINE.findall(done.stdout)}, done.stdout

    return run


@pytest.fixture
def probe(rows) -> dict[str, str]:
    return {"CHECK_USERNAME": "tanaka", "CHECK_PASSWORD": PASSWORD}


def test_every_check_without_aws_passes(check, cluster, probe, capsys):
    code, lines, printed = check("after", cluster.url, "--insecure", "--slow-ms", "60000", "--requests", "60", **probe)

    assert {title for title, (mark, _) in lines.items() if mark == "-"} == UNSEEN_HERE
    assert {title: found for title, (mark, found) in lines.items() if mark == " "} == {}
    assert code == 0
    assert "3 nodes respond: node-1, node-2, node-3" in printed
    assert "TLSv1.3" in lines["Certificate and TLS"][1]
    with capsys.disabled():
        print(f"\n{printed}")


def test_a_broken_part_fails(check, cluster, probe):
    url = cluster.url
    code, lines, _ = check(
        "after", url, "--slow-ms", "60000", "--requests", "10", **probe | {"CHECK_PASSWORD": "wrong"}
    )

    assert code == 1
    assert lines["Certificate and TLS"][0] == " "
    assert "certificate verify failed" in lines["Certificate and TLS"][1]
    assert lines["Sign-in"][0] == " "


def test_the_checks_of_the_release_before_its_deployment(check, cluster):
    settings = dict(cluster.environment)

    code, lines, printed = check("before", "--only", "application,infrastructure", "--lang", "en", **settings)

    assert code == 0, printed
    ticked = {title for title, (mark, _) in lines.items() if mark == "x"}
    assert ticked == {"Database connection", "Environment", "Migrations", "Static files"}


def test_an_incomplete_environment_fails_with_each_problem(check, cluster):
    settings = dict(cluster.environment) | {"TMS_REDIS_URL": "", "TMS_ALLOWED_HOSTS": "*"}

    code, lines, _ = check("before", "--only", "application", **settings)

    assert code == 1
    assert "tms.E005" in lines["Environment"][1]
    assert "tms.E004" in lines["Environment"][1]


def test_a_machine_without_tms_is_reported(check):
    code, lines, _ = check("before", "--only", "application", ENVIRONMENT_FOLDER=os.devnull)

    assert code == 0
    assert {mark for mark, _ in lines.values()} == {"-"}
