"""A new RDS instance with the options of the current one, which it replaces: the calls, and their order."""

import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest

from deploy.aws import client
from deploy.backup import __main__ as command
from deploy.backup import instance
from deploy.backup.failure import BackupFailed
from tests.support.servers.aws import Moto

AT = "2026-01-31T03:15:00Z"
CHANGES = (
    "RestoreDBInstanceToPointInTime",
    "RestoreDBInstanceFromDBSnapshot",
    "ModifyDBInstance",
    "RebootDBInstance",
    "DeleteDBInstance",
    "PutParameter",
)


@pytest.fixture
def aws(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """An account with the instance as Terraform creates it."""
    moto.use(monkeypatch)
    ec2, rds = client("ec2"), client("rds")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{block}.0/24", AvailabilityZone=f"ap-northeast-1{zone}")
        for block, zone in ((10, "a"), (11, "c"))
    ]
    group = ec2.create_security_group(GroupName="tms-db-security-group", Description="database", VpcId=vpc)["GroupId"]
    rds.create_db_subnet_group(
        DBSubnetGroupName="tms-db-subnet-group",
        DBSubnetGroupDescription="private",
        SubnetIds=[each["Subnet"]["SubnetId"] for each in subnets],
    )
    rds.create_db_parameter_group(
        DBParameterGroupName="tms-postgresql-17", DBParameterGroupFamily="postgres17", Description="TLS only"
    )
    rds.create_db_instance(
        DBInstanceIdentifier="tms-database",
        Engine="postgres",
        EngineVersion="17.2",
        DBInstanceClass="db.t3.medium",
        AllocatedStorage=100,
        MaxAllocatedStorage=500,
        StorageType="gp3",
        MasterUsername="tms_admin",
        ManageMasterUserPassword=True,
        MultiAZ=True,
        StorageEncrypted=True,
        PubliclyAccessible=False,
        DeletionProtection=True,
        CopyTagsToSnapshot=True,
        BackupRetentionPeriod=7,
        PreferredBackupWindow="03:00-04:00",
        PreferredMaintenanceWindow="sun:05:00-sun:06:00",
        EnableCloudwatchLogsExports=["postgresql", "upgrade"],
        DBSubnetGroupName="tms-db-subnet-group",
        DBParameterGroupName="tms-postgresql-17",
        VpcSecurityGroupIds=[group],
        Tags=[{"Key": "Project", "Value": "tms"}],
    )
    return moto


@pytest.fixture
def requested(aws: Moto) -> Iterator[list[tuple[str, dict[str, Any]]]]:
    """The requested changes in AWS, in order: the operation, and its parameters."""
    calls: list[tuple[str, dict[str, Any]]] = []
    events = boto3.DEFAULT_SESSION.events  # type: ignore[union-attr]

    def note(params: dict[str, Any], model: Any, **_: Any) -> None:
        if model.name in CHANGES:
            calls.append((model.name, dict(params)))

    events.register("provide-client-params", note)
    yield calls
    events.unregister("provide-client-params", note)


def run(*arguments: str) -> int:
    return command.main([*arguments, "--every", "0.01"])


def secret_of(name: str) -> str:
    return str(instance.instance_details(name)["MasterUserSecret"]["SecretArn"])


def test_a_point_in_time_restore_replaces_the_current_instance(requested, capsys):
    old = instance.instance_details("tms-database")

    assert run("point-in-time", "--at", AT, "--yes") == 0

    restored, changed, away, back, handed = requested
    assert [name for name, _ in requested] == [
        "RestoreDBInstanceToPointInTime",
        "ModifyDBInstance",
        "ModifyDBInstance",
        "ModifyDBInstance",
        "PutParameter",
    ]
    assert restored[1] | {"DBInstanceClass": "db.t3.medium"} == restored[1]
    assert restored[1]["SourceDBInstanceIdentifier"] == "tms-database"
    assert restored[1]["TargetDBInstanceIdentifier"] == "tms-database-restored"
    assert restored[1]["RestoreTime"] == datetime(2026, 1, 31, 3, 15, tzinfo=UTC)
    assert restored[1]["DBSubnetGroupName"] == "tms-db-subnet-group"
    assert restored[1]["DBParameterGroupName"] == "tms-postgresql-17"
    assert restored[1]["VpcSecurityGroupIds"] == [old["VpcSecurityGroups"][0]["VpcSecurityGroupId"]]
    assert (restored[1]["MultiAZ"], restored[1]["PubliclyAccessible"]) == (True, False)
    assert (restored[1]["DeletionProtection"], restored[1]["StorageType"]) == (True, "gp3")
    assert restored[1]["EnableCloudwatchLogsExports"] == ["postgresql", "upgrade"]
    assert restored[1]["Tags"] == [{"Key": "Project", "Value": "tms"}]
    assert changed[1]["ManageMasterUserPassword"] is True
    assert (changed[1]["BackupRetentionPeriod"], changed[1]["PreferredBackupWindow"]) == (7, "03:00-04:00")
    assert away[1]["DBInstanceIdentifier"] == "tms-database"
    assert away[1]["NewDBInstanceIdentifier"].startswith("tms-database-before-")
    assert (back[1]["DBInstanceIdentifier"], back[1]["NewDBInstanceIdentifier"]) == (
        "tms-database-restored",
        "tms-database",
    )
    assert handed[1]["Name"] == "/tms/database/secret"
    assert handed[1]["Value"] == secret_of("tms-database")
    printed = capsys.readouterr().out
    assert "terraform state rm aws_db_instance.main" in printed
    assert "terraform import -var-file=env/production.tfvars aws_db_instance.main tms-database" in printed
    assert "deploy/terraform/tf apply, migrate and roll out" in printed


def test_the_previous_instance_is_preserved(requested):
    run("point-in-time", "--yes")

    names = {each["DBInstanceIdentifier"] for each in client("rds").describe_db_instances()["DBInstances"]}
    assert "tms-database" in names
    assert len(names) == 2
    assert "DeleteDBInstance" not in [name for name, _ in requested]


def test_a_snapshot_of_aws_backup_is_restored_with_the_same_options(requested):
    client("rds").create_db_snapshot(DBSnapshotIdentifier="taken", DBInstanceIdentifier="tms-database")

    assert run("snapshot", "taken", "--yes") == 0

    name, parameters = requested[0]
    assert name == "RestoreDBInstanceFromDBSnapshot"
    assert parameters["DBSnapshotIdentifier"] == "taken"
    assert parameters["DBParameterGroupName"] == "tms-postgresql-17"
    assert [name for name, _ in requested[1:]] == [
        "ModifyDBInstance",
        "ModifyDBInstance",
        "ModifyDBInstance",
        "PutParameter",
    ]


def test_a_drill_leaves_the_current_instance_alone_and_removes_its_own(requested, capsys):
    assert run("point-in-time", "--verify-only", "--yes") == 0

    restored, unprotected, deleted = requested
    assert unprotected[1]["DBInstanceIdentifier"] == "tms-database-drill"
    assert restored[0] == "RestoreDBInstanceToPointInTime"
    assert restored[1]["TargetDBInstanceIdentifier"] == "tms-database-drill"
    assert (restored[1]["MultiAZ"], restored[1]["DeletionProtection"]) == (False, False)
    assert deleted[0] == "DeleteDBInstance"
    assert (deleted[1]["DBInstanceIdentifier"], deleted[1]["SkipFinalSnapshot"]) == ("tms-database-drill", True)
    assert instance.exists("tms-database")
    assert not instance.exists("tms-database-restored")
    assert "deploy/shell.sh psql -h tms-database-drill." in capsys.readouterr().out


def test_an_instance_of_a_drill_stays_until_it_was_looked_at(requested, monkeypatch, capsys):
    monkeypatch.setattr("deploy.backup.restore.ask_terminal", lambda _: False)

    assert run("point-in-time", "--verify-only") == 0

    assert [name for name, _ in requested] == ["RestoreDBInstanceToPointInTime"]
    assert "tms-database-drill stays" in capsys.readouterr().out


def test_a_dry_run_changes_nothing_and_prints_the_options(requested, capsys):
    assert run("point-in-time", "--at", AT, "--dry-run") == 0

    assert requested == []
    assert "DBParameterGroupName=tms-postgresql-17" in capsys.readouterr().out


def test_without_confirmation_the_restored_instance_stays_beside_and_can_be_swapped_later(requested, capsys):
    assert run("point-in-time", "--at", AT) == 0
    assert "Nothing was swapped" in capsys.readouterr().out
    assert len(requested) == 2

    assert run("point-in-time", "--swap-only") == 0

    assert [name for name, _ in requested[2:]] == ["ModifyDBInstance", "ModifyDBInstance", "PutParameter"]


def test_a_time_without_a_zone_is_refused(aws, capsys):
    with pytest.raises(SystemExit):
        run("point-in-time", "--at", "2026-01-31T03:15:00")

    assert "has no time zone; expected for example 2026-01-31T03:15:00Z" in capsys.readouterr().err


def test_a_time_that_rds_has_not_reached_is_refused_before_any_change():
    order = instance.InstanceRestoreOptions(name="tms", at=datetime(2026, 1, 31, 3, 15, tzinfo=UTC))

    with pytest.raises(BackupFailed, match="RDS reaches to 2026-01-31T03:10:00Z"):
        instance.source(order, {"LatestRestorableTime": datetime(2026, 1, 31, 3, 10, tzinfo=UTC)})


def test_an_unknown_instance_is_reported(aws, monkeypatch):
    monkeypatch.setattr(
        instance,
        "instance_details",
        lambda name: {"DBInstanceIdentifier": name, "DBInstanceStatus": "incompatible-restore"},
    )

    with pytest.raises(BackupFailed, match="tms-database is incompatible-restore"):
        instance.wait(instance.InstanceRestoreOptions(name="tms"), "tms-database")


def test_the_new_password_is_awaited_before_rds_has_begun_with_it(monkeypatch):
    available = {"DBInstanceIdentifier": "tms-database-restored", "DBInstanceStatus": "available"}
    begun = available | {"MasterUserSecret": {"SecretArn": "arn:new", "SecretStatus": "creating"}}
    answers = iter([available] * 4)
    monkeypatch.setattr(instance, "instance_details", lambda name: next(answers, begun))

    assert instance.wait_for_secret(instance.InstanceRestoreOptions(name="tms", every_s=0)) == "arn:new"


def test_tags_that_only_aws_may_set_are_not_copied(aws):
    old = instance.instance_details("tms-database")
    tags = [{"Key": "Project", "Value": "tms"}, {"Key": "aws:backup:source-resource", "Value": "arn:…"}]

    options = instance.InstanceRestoreOptions(name="tms")
    assert instance.copied_options(options, {**old, "TagList": tags})["Tags"] == tags[:1]


def test_parameters_that_need_a_restart_get_one_before_the_swap(aws, monkeypatch):
    seen = iter(["pending-reboot", "applying", "in-sync", "in-sync"])
    rebooted = []
    monkeypatch.setattr(
        instance,
        "instance_details",
        lambda name: {
            "DBInstanceIdentifier": name,
            "DBInstanceStatus": "available",
            "DBParameterGroups": [{"ParameterApplyStatus": next(seen, "in-sync")}],
        },
    )
    monkeypatch.setattr(instance, "client", lambda service: Rebooting(rebooted))

    assert instance.apply_parameters(instance.InstanceRestoreOptions(name="tms", every_s=0)) == "after a restart"
    assert rebooted == ["tms-database-restored"]


class Rebooting:
    def __init__(self, rebooted: list[str]) -> None:
        self._rebooted = rebooted

    def reboot_db_instance(self, *, DBInstanceIdentifier: str) -> None:  # noqa: N803 - AWS's name
        self._rebooted.append(DBInstanceIdentifier)


def test_the_state_of_terraform_is_updated_if_its_folder_is_given(aws, monkeypatch, tmp_path):
    ran: list[tuple[Any, Path]] = []
    monkeypatch.setattr(subprocess, "run", lambda words, cwd, **_: ran.append((words, cwd)))

    instance.update_terraform_state(instance.InstanceRestoreOptions(name="tms", terraform=tmp_path))

    assert [(words[1], cwd) for words, cwd in ran] == [("state", tmp_path), ("import", tmp_path)]


def test_the_published_secret_opens_the_database(requested):
    run("point-in-time", "--yes")

    arn = client("ssm").get_parameter(Name="/tms/database/secret")["Parameter"]["Value"]
    stored = json.loads(client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    assert stored.keys() >= {"username", "password"}
