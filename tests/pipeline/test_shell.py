"""One command on a serving machine, as pasted from the runbook."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.processes.tms_process import ROOT

AWS = """#!/bin/bash
case $1 in
  autoscaling) echo "$SERVING" ;;
  ec2) [[ $* == *private-ip-address,Values=10.0.10.12* ]] && echo i-5 ;;
  *) printf '%s\\0' "$@" ;;
esac
"""
STATEMENT = """SELECT 'a "b" \\ $HOME' AS "x"
  FROM pg_stat_activity"""


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    aws = tmp_path / "aws"
    aws.write_text(AWS)
    aws.chmod(0o755)

    def run(*words: str, serving: str = "i-0123456789") -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SERVING": serving}
        return subprocess.run(
            [ROOT / "deploy/shell.sh", *words], env=environment, capture_output=True, text=True, check=False
        )

    return run


def test_sessions_use_the_recorded_documents_of_terraform(shell):
    people = (ROOT / "deploy/terraform/people.tf").read_text()
    command = shell("manage", "nodes").stdout.split("\0")

    assert command[command.index("--document-name") + 1] == "tms-command"
    assert re.search(r"^    shell = \{", people, re.MULTILINE)
    assert re.search(r"^    command = \{", people, re.MULTILINE)


def sent_command(done: subprocess.CompletedProcess[str]) -> tuple[str, str]:
    """The machine, and the command that it runs."""
    words = done.stdout.split("\0")
    return words[words.index("--target") + 1], json.loads(words[words.index("--parameters") + 1])["command"][0]


@pytest.mark.parametrize(
    ("words", "there"),
    [
        (("psql", "-c", STATEMENT), ["/opt/tms/current/deploy/machine/psql", "-c", STATEMENT]),
        (("manage", "nodes"), ["/opt/tms/current/deploy/machine/manage", "nodes"]),
        (
            ("supervisorctl", "restart", "tms:clock"),
            ["/opt/tms/supervisor/bin/supervisorctl", "-c", "/etc/tms/supervisord.conf", "restart", "tms:clock"],
        ),
        (("curl", "http://127.0.0.1:8001/health/?strict"), ["curl", "http://127.0.0.1:8001/health/?strict"]),
    ],
)
def test_each_argument_arrives_unchanged(words, there, shell):
    machine, command = sent_command(shell(*words))

    arrived = subprocess.check_output(["bash", "-c", f"printf '%s\\0' {command}"], text=True).split("\0")[:-1]
    assert machine == "i-0123456789"
    assert arrived == ["sudo", *there]


def test_without_a_command_it_is_a_shell_on_the_given_machine(shell):
    words = shell("--on", "i-9").stdout.split("\0")

    assert words[words.index("--target") + 1] == "i-9"
    assert words[words.index("--document-name") + 1] == "tms-shell"
    assert "--parameters" not in words


def test_a_machine_can_be_named_by_its_address(shell):
    """The database shows the address of the machine of the leading clock."""
    assert sent_command(shell("--on", "10.0.10.12", "manage", "nodes"))[0] == "i-5"


def test_without_a_serving_machine_an_error_is_reported(shell):
    done = shell("psql", serving="None")

    assert done.returncode == 1
    assert "no machine of tms-autoscaling-group is in service" in done.stderr


def test_psql_on_the_machine_passes_its_arguments_on():
    script = (ROOT / "deploy/machine/psql").read_text()

    assert shlex.quote("--master") in script
    assert '-m deploy.backup psql "${master[@]}" -- "$@"' in script
