"""Releases on machines, on an emulated AWS with S3, SSM and an Auto Scaling group."""

import hashlib
import subprocess
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import pytest
from botocore.stub import Stubber

from deploy.aws import client
from deploy.pipeline import alarms, ec2
from deploy.pipeline.__main__ import main
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.failure import DeploymentFailed, NoEarlierRelease
from deploy.pipeline.good import MOST_LISTED, GoodReleases
from deploy.pipeline.polling import Polling
from deploy.processes.tms_process import ROOT

NUMBERS = count(1)
QUICK = Polling(interval_s=0.01, timeout_s=5)
PREFERENCES = {
    "MinHealthyPercentage": 100,
    "MaxHealthyPercentage": 150,
    "InstanceWarmup": ec2.WARMUP_S,
    "SkipMatching": False,
    "BakeTime": alarms.BAKE_S,
}


def made(folder: Path, version: str, contents: bytes = b"a release") -> Path:
    artefact = folder / f"tms-{version}.tar.gz"
    artefact.write_bytes(contents)
    digest = hashlib.sha256(contents).hexdigest()
    artefact.with_name(f"{artefact.name}.sha256").write_text(f"{digest}  {artefact.name}\n")
    return artefact


@pytest.fixture
def machines(ministack: Any, as_aws: Any) -> Machines:
    """Two machines with 1.0.0, with their own prefix."""
    as_aws(ministack.env)
    machines = Machines(f"tms{next(NUMBERS)}")
    client("s3").create_bucket(
        Bucket=machines.bucket, CreateBucketConfiguration={"LocationConstraint": "ap-northeast-1"}
    )
    client("ssm").put_parameter(Name=machines.parameter, Value="1.0.0", Type="String")
    template = client("ec2").create_launch_template(
        LaunchTemplateName=f"{machines.name}-app", LaunchTemplateData={"ImageId": "ami-12345678"}
    )["LaunchTemplate"]
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=machines.group,
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": "1"},
        MinSize=2,
        MaxSize=4,
        AvailabilityZones=["ap-northeast-1a"],
    )
    return machines


def test_a_release_is_published_once_rolled_out_and_rolled_back(machines, tmp_path, capsys):
    for version in ("1.0.0", "1.1.0"):
        assert main(["publish", str(made(tmp_path, version)), "--name", machines.name]) == 0
    machines.good.mark("1.0.0")
    assert main(["roll-out", "ec2", "1.1.0", "--name", machines.name]) == 0
    assert machines.current() == "1.1.0"

    done = subprocess.run(
        [ROOT / "deploy/rollback.sh", "ec2", "--replace", "--name", machines.name],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert machines.current() == "1.0.0"
    assert "Rolling back from 1.1.0 to 1.0.0" in done.stdout
    refreshes = client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=machines.group)[
        "InstanceRefreshes"
    ]
    assert len(refreshes) == 2


def test_a_version_never_changes(machines, tmp_path):
    machines.publish(made(tmp_path, "1.0.0"))
    assert machines.publish(made(tmp_path, "1.0.0")).endswith("/tms-1.0.0.tar.gz")

    with pytest.raises(DeploymentFailed, match="is there already, and is another one"):
        machines.publish(made(tmp_path, "1.0.0", b"another one"))


def test_a_damaged_artefact_is_not_published(machines, tmp_path):
    artefact = made(tmp_path, "1.0.0")
    artefact.write_bytes(b"damaged")

    with pytest.raises(DeploymentFailed, match="build it again"):
        machines.publish(artefact)


def test_an_unpublished_release_is_not_rolled_out(machines):
    with pytest.raises(DeploymentFailed, match="publish the release first"):
        machines.roll_out("2.0.0", QUICK)

    assert machines.current() == "1.0.0"


def test_before_the_first_release_there_is_none(machines):
    with pytest.raises(NoEarlierRelease):
        machines.previous()


def test_a_rollback_never_rolls_forward(machines, tmp_path, capsys):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        machines.publish(made(tmp_path, version))
        machines.roll_out(version, QUICK)
        main(["mark-good", "ec2", version, "--name", machines.name])
    machines.publish(made(tmp_path, "1.3.0"))
    machines.roll_out("1.3.0", QUICK)  # and its checklist fails

    served = []
    for _ in range(4):
        code = main(["roll-back", "ec2", "--replace", "--name", machines.name, "--every", "0.01"])
        served.append((code, machines.current()))

    assert served == [(0, "1.2.0"), (0, "1.1.0"), (0, "1.0.0"), (1, "1.0.0")]
    assert "lists no good release older than 1.0.0, and a rollback never goes forward" in capsys.readouterr().err


def test_a_release_that_was_rolled_back_is_no_longer_good(machines, tmp_path):
    for version in ("1.0.0", "1.1.0", "1.2.0"):
        machines.publish(made(tmp_path, version))
        machines.good.mark(version)
    machines.roll_out("1.2.0", QUICK)

    main(["roll-back", "ec2", "--replace", "--to", "1.0.0", "--name", machines.name, "--every", "0.01"])

    assert machines.good.all() == ["1.1.0", "1.0.0"]
    with pytest.raises(NoEarlierRelease):
        machines.previous()


def test_a_rollout_reports_its_start_only_before_a_change(machines, tmp_path, monkeypatch):
    output = tmp_path / "output"
    monkeypatch.setenv("GITHUB_OUTPUT", str(output))

    assert main(["roll-out", "ec2", "2.0.0", "--name", machines.name]) == 1
    assert not output.exists()

    machines.publish(made(tmp_path, "1.1.0"))
    assert main(["roll-out", "ec2", "1.1.0", "--name", machines.name, "--every", "0.01"]) == 0
    assert output.read_text() == "begun=yes\n"


def test_the_list_of_good_releases_is_bounded():
    good = Remembered()

    for number in range(30):
        good.mark(f"1.{number}.0")

    assert len(good.all()) == 10
    assert good.all()[0] == "1.29.0"


class Remembered(GoodReleases):
    """Good releases that are remembered without AWS."""

    stored: ClassVar[list[str]] = []

    def __init__(self) -> None:
        super().__init__("tms", images=False)

    def _read_stored(self) -> list[str]:
        return self.stored

    def _store(self, releases: Sequence[str]) -> None:
        self.stored[:] = releases[:MOST_LISTED]


def test_machines_that_do_not_become_healthy_are_a_failure_with_a_reason(machines, tmp_path, monkeypatch):
    machines.publish(made(tmp_path, "1.1.0"))
    groups = client("autoscaling")
    stubber = Stubber(groups)
    stubber.add_response("describe_instance_refreshes", {"InstanceRefreshes": []})
    quiet = [f"{machines.name}-{guard}" for guard in alarms.GUARDS if guard != "no-healthy-host"]
    guards = {"AlarmSpecification": {"Alarms": quiet}}
    wanted = {"Strategy": "Rolling", "Preferences": PREFERENCES | guards, "AutoScalingGroupName": machines.group}
    stubber.add_response("start_instance_refresh", {"InstanceRefreshId": "r-1"}, wanted)
    failed = {
        "Status": "Failed",
        "StatusReason": "Failed to launch instances: unhealthy",
        "PercentageComplete": 50,
    }
    stubber.add_response("describe_instance_refreshes", {"InstanceRefreshes": [{"Status": "InProgress"}]})
    stubber.add_response("describe_instance_refreshes", {"InstanceRefreshes": [failed]})
    monkeypatch.setattr(ec2, "client", lambda service: groups if service == "autoscaling" else client(service))
    monkeypatch.setattr(alarms, "firing", lambda name: [f"{name}-no-healthy-host", f"{name}-high-cpu-usage"])

    with stubber, pytest.raises(DeploymentFailed, match="Failed to launch instances: unhealthy"):
        machines.roll_out("1.1.0", QUICK)

    stubber.assert_no_pending_responses()


def test_a_hanging_rollout_is_abandoned(machines):
    with pytest.raises(DeploymentFailed, match="took longer than 0 s; last status: InProgress"):
        Polling(interval_s=0.01, timeout_s=0).until(lambda: (False, "InProgress"), what="machines")
