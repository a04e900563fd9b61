"""Values that Terraform shares with the application, a machine or a page."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.check.aws.alarms import ALARMS, SUMMARY
from deploy.pipeline import machine_image, run_command
from deploy.pipeline.alarms import GUARDS
from tests.support import inventory
from tms.ops.cloudwatch.table import TABLE
from tools.tfkit.toolchain import ROOT, Toolchain

TERRAFORM, MACHINE = ROOT / "deploy/terraform", ROOT / "deploy/machine"
HCL = {path.name: path.read_text() for path in TERRAFORM.glob("*.tf")}
OF_THE_BACKUP = {"BackupSuccess", "BackupAge"}
GUIDES = ("deploying.md", "deploying.ja.md")
TABLE_OF_ROWS = ROOT / "docs/aws.md"


def local_value(file: str, name: str) -> str:
    """The value of a local."""
    found = re.search(rf"^ +{name} += +(.+?)(?: +#.*)?$", HCL[file], re.MULTILINE)
    assert found is not None, f"{file} has no {name}"
    return found[1].strip('"')


def keys(file: str, name: str) -> set[str]:
    """The value of a local that is a map."""
    found = re.search(rf"^  {name} = (?:merge\([^\n]*, )?\{{\n(.*?)^  \}}", HCL[file], re.MULTILINE | re.DOTALL)
    assert found is not None, f"{file} has no {name}"
    return set(re.findall(r"^    ([\w-]+) += ", found[1], re.MULTILINE))


def test_the_idle_timeout_exceeds_the_ping_interval_of_the_server():
    default = inventory.literal_defaults()["TMS_PING_INTERVAL_S"]

    assert (
        local_value("balancer.tf", "ping_interval_s")
        == f'tonumber(lookup(var.settings, "TMS_PING_INTERVAL_S", {default}))'
    )


def test_the_deregistration_delay_exceeds_the_drain_of_a_machine():
    [patience] = re.findall(r"\.\*\} \+ (\d+)", (MACHINE / "configure").read_text())
    waves = 2

    assert local_value("balancer.tf", "machine_drain_s") == f"{waves} * (local.drain_spread_s + {patience})"


def test_the_load_balancer_checks_liveness_and_never_readiness():
    """Readiness depends on the database: one failover would replace every machine."""
    asked = re.findall(r'^ +path += "(.+)"$', HCL["balancer.tf"], re.MULTILINE)
    by_the_image = re.findall(r'"http://127\.0\.0\.1:8000(/.*)"', (ROOT / "deploy/image/health.py").read_text())

    assert asked == by_the_image == ["/health/"]


def test_paths_are_those_of_the_application():
    assert (local_value("balancer.tf", "terminal_path"), "") in inventory.sockets()
    assert {("/health/", "health"), ("/metrics", "metrics")} <= inventory.addresses()


def test_a_machine_gets_exactly_the_variables_that_it_requires():
    asked = re.search(r"EXPORTS='([^|]+)\|([^']+)'", (MACHINE / "userdata.sh").read_text())
    assert asked is not None
    exported = keys("compute_ec2.tf", "machine_exports")

    assert set(asked[1].split()) <= exported
    assert exported <= {*asked[1].split(), *asked[2].split()}


def test_a_task_gets_the_settings_that_the_application_reads():
    result = keys("compute_ecs.tf", "task_environment") | keys("compute_ecs.tf", "task_secrets")
    ours = {name for name in result if name.startswith("TMS_")}

    assert ours <= inventory.variables()
    assert {"TMS_PRODUCTION", "TMS_SECRET_KEY", "TMS_ALLOWED_HOSTS", "TMS_TRUSTED_PROXIES"} <= ours
    assert {"TMS_DATABASE_URL", "TMS_DATABASE_SECRET", "TMS_REDIS_URL"} <= ours


def decided() -> dict[str, str]:
    """Settings that follow from another variable, with its name; or `nothing: ` and the reason."""
    found = re.search(r"^  decided_settings = \{\n(.*?)^  \}", HCL["settings.tf"], re.MULTILINE | re.DOTALL)
    assert found is not None
    return dict(re.findall(r'^    (TMS_[A-Z_]+) += "(.+)"$', found[1], re.MULTILINE))


def variables() -> dict[str, str]:
    """The body of each variable of Terraform."""
    text = "".join(HCL.values())
    return dict(re.findall(r'^variable "(\w+)" \{\n(.*?)^\}', text, re.MULTILINE | re.DOTALL))


def test_each_setting_is_set_once_in_the_tfvars_or_excluded_with_a_reason():
    elsewhere = decided()
    nowhere = {name for name, source in elsewhere.items() if source not in variables() and source[:9] != "nothing: "}

    assert not elsewhere.keys() - inventory.variables()
    assert not nowhere, f"settings.tf sends {', '.join(sorted(nowhere))} to a variable that does not exist"


@pytest.mark.parametrize("page", ["deploying.md", "deploying.ja.md", "runbook.md"])
def test_settings_in_the_runbook_can_be_changed_in_the_tfvars(page):
    text = (ROOT / "docs" / page).read_text()
    result = set(re.findall(r"`(TMS_[A-Z_]+)`", text)) & inventory.variables()
    fixed = {name for name, source in decided().items() if source.startswith("nothing: ")}
    by_a_command = {name for name in fixed if re.search(rf"put-secret-value[^\n]*{name}", text)}
    fields = {
        f"{name}.{field}"
        for name, field in re.findall(r"`(\w+)\.(\w+)[ `]", text)
        if name in variables() and not re.search(rf"^    {field} +=", variables()[name], re.MULTILINE)
    }

    assert result
    assert not result & fixed - by_a_command
    assert not fields, f"docs/{page} names fields that no variable has: {', '.join(sorted(fields))}"


def test_a_task_uses_a_role_of_the_image():
    entrypoint = (ROOT / "deploy/image/entrypoint").read_text()

    for role in keys("compute_ecs.tf", "roles"):
        assert re.search(rf"^  (\w+ \| )*{role}( \| \w+)*\) exec", entrypoint, re.MULTILINE), role


def test_alarms_and_dashboard_use_metrics_that_are_sent():
    sent = {row.name for row in TABLE} | OF_THE_BACKUP
    asked = re.findall(r"local\.tms\.(\w+)", HCL["alarms.tf"])
    shown = [
        name
        for names in re.findall(r"for name in \[([^]]+)\] : \[local\.metrics_namespace", HCL["dashboard.tf"])
        for name in re.findall(r'"(\w+)"', names)
    ]

    assert asked
    assert shown
    assert {*asked, *shown} <= sent


def test_each_alarm_has_its_section_in_the_runbook_and_is_in_the_checklist():
    alarms = keys("alarms.tf", "alarms")
    sections = set(re.findall(r"^#+ ([a-z-]+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE))

    assert alarms == set(ALARMS)
    assert alarms | {SUMMARY} <= sections


@pytest.mark.parametrize(
    ("page", "words"),
    [("deploying.md", r"(\d+) alarms"), ("cloudwatch.md", r"(\d+) alarms"), ("deploying.ja.md", r"アラーム (\d+) 個")],
)
def test_pages_have_the_correct_number_of_alarms(page, words):
    result = re.findall(words, (ROOT / "docs" / page).read_text())

    assert {int(number) for number in result} == {len(ALARMS)}


def test_each_alarm_is_listed_with_its_severity():
    critical = set(re.findall(r'^    ([a-z-]+) = \{\n      severity += "critical"', HCL["alarms.tf"], re.MULTILINE))
    rows = re.findall(r"^\| (critical|warning) \| (.+) \|$", (ROOT / "docs/cloudwatch.md").read_text(), re.MULTILINE)
    result = {severity: set(re.findall(r"\[([a-z-]+)\]", names)) for severity, names in rows}

    assert result == {"critical": critical | {SUMMARY}, "warning": set(ALARMS) - critical}


def test_every_log_of_the_cloudwatch_agent_has_a_group():
    written = set(re.findall(r'"@NAME@-(\w+)"', (MACHINE / "cloudwatch-agent.json").read_text()))

    assert written
    assert written <= keys("logs.tf", "log_groups")


def test_versions_are_the_same_in_docs_tests_and_the_pipeline(toolchain: Toolchain):
    """Exact ones: a lock file can only be created with the real registry."""
    versions = {path: path.read_text() for path in (TERRAFORM / "versions.tf", TERRAFORM / "bootstrap/main.tf")}
    [terraform] = {found for text in versions.values() for found in re.findall(r'required_version = "(.+)"', text)}
    providers = {
        found
        for text in versions.values()
        for found in re.findall(r'source  = "(hashicorp/\w+)"\n +version = "(.+)"', text)
    }
    workflow = (ROOT / ".github/workflows/test.yml").read_text()

    assert re.findall(r"terraform_version: ([\d.]+)", workflow) == [terraform]
    assert providers == {(name.split("/", 1)[1], version) for name, version in toolchain.setup().items()}
    assert all(re.search(rf"\b{re.escape(terraform)}\b", (ROOT / "docs" / page).read_text()) for page in GUIDES)


def test_no_lock_file_of_the_stub_is_committed():
    """Its checksums would be those of a stub: `terraform init` would refuse the real providers."""
    locks = [path for path in TERRAFORM.rglob(".terraform.lock.hcl") if ".terraform" not in path.parent.parts]

    for lock in locks:
        assert re.search(r'"h1:.+"\n(?:.*\n)*? +"zh:', lock.read_text()), f"{lock} was not made by a real registry"


TERRAFORM_STUB = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/asked"
case $* in *providers*lock*) echo made by terraform >"${1#-chdir=}/.terraform.lock.hcl" ;; esac
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The script of the pipeline with a Terraform that only records its arguments."""
    script = tmp_path / "deploy/pipeline/check-terraform"
    script.parent.mkdir(parents=True)
    shutil.copy(ROOT / "deploy/pipeline/check-terraform", script)
    (tmp_path / "deploy/terraform/bootstrap").mkdir(parents=True)
    (tmp_path / "terraform").write_text(TERRAFORM_STUB)
    (tmp_path / "terraform").chmod(0o755)
    return tmp_path


def checked(checkout: Path) -> subprocess.CompletedProcess[str]:
    path = {"PATH": f"{checkout}:{os.environ['PATH']}"}
    command = [checkout / "deploy/pipeline/check-terraform"]
    return subprocess.run(command, env=os.environ | path, capture_output=True, text=True, check=False)


def test_a_missing_lock_file_is_made_printed_and_proposed(checkout: Path):
    (checkout / "deploy/terraform/.terraform.lock.hcl").touch()

    done = checked(checkout)

    proposed = checkout / "build/proposed/deploy/terraform"
    assert done.returncode == 0
    assert "deploy/terraform/bootstrap/.terraform.lock.hcl is missing; commit this one" in done.stderr
    assert "made by terraform" in done.stderr
    assert (proposed / "bootstrap/.terraform.lock.hcl").read_text() == "made by terraform\n"
    assert not (proposed / ".terraform.lock.hcl").exists()


def test_the_pipeline_installs_the_providers_of_the_lock_files(checkout: Path):
    for folder in ("deploy/terraform", "deploy/terraform/bootstrap"):
        (checkout / folder / ".terraform.lock.hcl").touch()

    assert checked(checkout).returncode == 0

    inits = [line for line in (checkout / "asked").read_text().splitlines() if " init " in line]
    assert len(inits) == 2
    assert "providers lock" not in (checkout / "asked").read_text()
    assert all("-lockfile=readonly" in line for line in inits)


def test_a_rollout_of_machines_and_of_tasks_has_the_same_guard_alarms():
    [guards] = re.findall(r"release_guards = (\[.+\])", HCL["alarms.tf"])

    assert json.loads(guards) == list(GUARDS)
    assert set(GUARDS) <= set(ALARMS)


def test_a_machine_runs_scripts_that_exist():
    asked = re.findall(r"\$\{local\.(?:machine|release)_scripts\}/([\w-]+)", HCL["documents.tf"])

    assert len(asked) >= 5
    assert [name for name in asked if not os.access(MACHINE / name, os.X_OK)] == []


def test_terraform_and_the_monthly_job_pin_the_same_image():
    assert local_value("compute_ec2.tf", "newest_image") == machine_image.NEWEST
    assert 'name        = "/${var.name}/machine-image"' in HCL["compute_ec2.tf"]


def test_documents_and_pipeline_have_the_same_steps_limits_and_versions():
    steps = re.findall(
        r"^    (\w+) = \{\n +meaning .*\n +commands .*seconds = (\d+)", HCL["documents.tf"], re.MULTILINE
    )

    assert {name: int(seconds) for name, seconds in steps} == dict(run_command.TIMEOUTS_S)
    assert local_value("documents.tf", "release_pattern") == f"^{run_command.VERSION.pattern}$"


def test_every_variable_is_described():
    for name, body in variables().items():
        assert re.search(r"^  description = ", body, re.MULTILINE), name
        assert re.search(r"^  type +=", body, re.MULTILINE), name


def test_every_suppressed_checkov_finding_has_a_reason():
    excuses = [line for text in HCL.values() for line in text.splitlines() if "checkov:skip" in line]

    assert excuses
    for excuse in excuses:
        assert re.search(r"#checkov:skip=CKV2?_AWS_\d+:\S.{20,}", excuse), excuse


# docs/aws.md


def named_tests() -> Iterator[tuple[Path, str]]:
    for path, name in re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", TABLE_OF_ROWS.read_text()):
        yield ROOT / path, name


def named_runs() -> Iterator[tuple[Path, str]]:
    for path, name in re.findall(r"`([\w/]+\.tftest\.hcl)::(\w+)`", TABLE_OF_ROWS.read_text()):
        yield TERRAFORM / path, name


@pytest.mark.parametrize(
    ("named", "form"), [(named_tests, r"^(?:async )?def {}\("), (named_runs, r'^run "{}" \{{')], ids=["tests", "runs"]
)
def test_each_row_of_the_manual_refers_to_an_existing_test(named, form):
    found = list(named())
    missing = {
        f"{path.relative_to(ROOT)}::{name}"
        for path, name in found
        if not path.exists() or not re.search(form.format(name), path.read_text(), re.MULTILINE)
    }

    assert found
    assert not missing, f"docs/aws.md names {', '.join(sorted(missing))}, which is not there"
