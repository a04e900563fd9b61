"""Releases on machines, against an AWS that has S3, SSM and an Auto Scaling group."""

import hashlib
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from botocore.stub import Stubber

from deploy.aws import client
from deploy.cluster.process import ROOT
from deploy.pipeline import ec2
from deploy.pipeline.__main__ import main
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.failure import Failed, NothingBefore
from deploy.pipeline.waiting import Patience

NUMBERS = count(1)
QUICK = Patience(every_s=0.01, longest_s=5)


def made(folder: Path, version: str, contents: bytes = b"a release") -> Path:
    artefact = folder / f"tms-{version}.tar.gz"
    artefact.write_bytes(contents)
    digest = hashlib.sha256(contents).hexdigest()
    artefact.with_name(f"{artefact.name}.sha256").write_text(f"{digest}  {artefact.name}\n")
    return artefact


@pytest.fixture
def machines(ministack: Any, as_aws: Any) -> Machines:
    """Two machines with 1.0.0, under a name of their own."""
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
    assert main(["roll-out", "ec2", "1.1.0", "--name", machines.name]) == 0
    assert machines.current() == "1.1.0"

    done = subprocess.run(
        [ROOT / "deploy/rollback.sh", "ec2", "--name", machines.name], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert machines.current() == "1.0.0"
    assert "Back from 1.1.0 to 1.0.0" in done.stdout
    refreshes = client("autoscaling").describe_instance_refreshes(AutoScalingGroupName=machines.group)[
        "InstanceRefreshes"
    ]
    assert len(refreshes) == 2


def test_a_version_never_changes(machines, tmp_path):
    machines.publish(made(tmp_path, "1.0.0"))
    assert machines.publish(made(tmp_path, "1.0.0")).endswith("/tms-1.0.0.tar.gz")

    with pytest.raises(Failed, match="is there already, and is another one"):
        machines.publish(made(tmp_path, "1.0.0", b"another one"))


def test_what_was_damaged_since_it_was_built_is_not_published(machines, tmp_path):
    artefact = made(tmp_path, "1.0.0")
    artefact.write_bytes(b"damaged")

    with pytest.raises(Failed, match="build it again"):
        machines.publish(artefact)


def test_a_release_that_nobody_published_is_not_named(machines):
    with pytest.raises(Failed, match="publish the release first"):
        machines.roll_out("2.0.0", QUICK)

    assert machines.current() == "1.0.0"


def test_before_the_first_there_is_nothing(machines):
    with pytest.raises(NothingBefore):
        machines.previous()


def test_machines_that_do_not_get_well_are_a_failure_with_its_reason(machines, tmp_path, monkeypatch):
    machines.publish(made(tmp_path, "1.1.0"))
    groups = client("autoscaling")
    stubber = Stubber(groups)
    stubber.add_response("describe_instance_refreshes", {"InstanceRefreshes": []})
    stubber.add_response("start_instance_refresh", {"InstanceRefreshId": "r-1"})
    failed = {"Status": "Failed", "StatusReason": "Failed to launch instances: unhealthy", "PercentageComplete": 50}
    stubber.add_response("describe_instance_refreshes", {"InstanceRefreshes": [{"Status": "InProgress"}]})
    stubber.add_response("describe_instance_refreshes", {"InstanceRefreshes": [failed]})
    monkeypatch.setattr(ec2, "client", lambda service: groups if service == "autoscaling" else client(service))

    with stubber, pytest.raises(Failed, match="Failed to launch instances: unhealthy"):
        machines.roll_out("1.1.0", QUICK)

    stubber.assert_no_pending_responses()


def test_a_rollout_that_never_ends_is_given_up(machines):
    with pytest.raises(Failed, match="took longer than 0 s; it stood at: InProgress"):
        Patience(every_s=0.01, longest_s=0).until(lambda: (False, "InProgress"), what="machines")
