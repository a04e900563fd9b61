"""Every command of the operators' pages runs: with stand-ins for AWS and Terraform, statements in a real PostgreSQL."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection

from deploy.processes.tms_process import ROOT
from tests.pipeline.commands import arguments
from tests.pipeline.commands.checkout import Checkout
from tests.pipeline.commands.pages import blocks, inline
from tests.support import inventory

PAGES = [ROOT / "docs" / name for name in ("runbook.md", "runbook.ja.md", "deploying.md", "deploying.ja.md")]
MENTIONED = {"deploy/check.sh after", ".venv/bin/python -m deploy.pipeline migrate"}
"""Names of commands in a sentence, without what they need."""
ONE_PAGE_EACH = [pytest.param(page, id=page.name) for page in PAGES]


def commands(page: Path) -> list[str]:
    return [*blocks(page), *(command for command in inline(page) if command not in MENTIONED and is_complete(command))]


def is_complete(command: str) -> bool:
    """Operations of AWS, and steps of Terraform, are also named as such."""
    return not command.startswith(("aws ", "terraform ")) or " --" in command


@pytest.mark.parametrize("page", ONE_PAGE_EACH)
def test_every_command_of_a_page_runs(page, tmp_path):
    checkout = Checkout(tmp_path, printed=printed())

    found = commands(page)
    problems = [f"{command.splitlines()[0]}: {fault}" for command in found for fault in faults(checkout, command)]

    assert found
    assert not problems, "\n".join(problems)


def faults(checkout: Checkout, command: str) -> Iterator[str]:
    done, calls = checkout.run(command.replace("ADDRESS", "10.0.10.7"))
    if done.returncode:
        yield f"ended with {done.returncode}: {done.stderr.strip()}"
    for call in calls:
        yield from arguments.problems(call)


def printed() -> Iterator[str]:
    """What `grep` looks for in the output of machines."""
    for name, _ in inventory.metrics():
        yield from (f"{name} 1", f"{name}_total{{}} 1", f"{name}_count{{}} 1")
    yield "kernel: Out of memory: Killed process 4711 (python)"


WRONG = [
    ("aws ec2 describe-nothing", "unknown operation ec2 describe-nothing"),
    ("aws rds describe-db-instances --db-instance tms", "unknown option --db-instance"),
    ("aws elbv2 describe-target-health", "missing --target-group-arn"),
    ("aws rds describe-db-instances --query 'DBInstances[0].Status'", "finds nothing"),
    ("aws logs tail tms-nothing", "there is no log group tms-nothing"),
    ("aws cloudwatch describe-alarms --state-value RINGING", "--state-value is one of"),
    ("aws cloudwatch list-metrics --namespace TMS --metric-name Terminals", "there is no metric Terminals"),
    ("deploy/shell.sh manage node", "there is no command node"),
    ("deploy/shell.sh manage audit check", "invalid choice"),
    ("deploy/shell.sh supervisorctl restart node-1", "node-1 is no program"),
    ("deploy/shell.sh tail /var/log/tms/server.log", "nothing writes server.log"),
    ("deploy/shell.sh /opt/tms/current/deploy/machine/back", "is not on a machine"),
    ("deploy/rollback.sh ec3", "invalid choice"),
    ("terraform -chdir=deploy/terraform output address", "there is no output address"),
    ("terraform apply -replace=random_password.cache", "there is no random_password.cache"),
    ("since=$(date -u -d '-2 hours')", "ended with 1"),
    ("make everything", "make has no everything"),
    ("deploy/missing.sh", "ended with 127"),
]


@pytest.mark.parametrize(("command", "problem"), WRONG)
def test_a_wrong_command_would_be_found(command, problem, tmp_path):
    assert any(problem in found for found in faults(Checkout(tmp_path), command)), command


def statements() -> dict[str, None]:
    """What the pages pass to psql."""
    texts = [text for page in PAGES for text in commands(page)]
    return dict.fromkeys(
        shlex.split(found)[0]
        for text in texts
        for found in re.findall(r"""shell\.sh psql (?:--master )?-c ("[^"]*"|'[^']*')""", text)
    )


@pytest.mark.services
@pytest.mark.django_db
@pytest.mark.parametrize("statement", statements())
def test_every_statement_is_one_of_this_database(statement):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN {statement.replace('PID', '0')}")

        assert cursor.fetchall()
