"""A database instance of RDS restored beside the one that serves, made like it in everything, and put in its place.

From a point in time, or from a snapshot, AWS Backup's included. The endpoint has the instance's name in it, so nothing
that connects needs a new address. Nothing is deleted: the instance that served stays, under another name.
"""

import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.aws import client, code_of
from deploy.backup.failure import BackupFailed
from deploy.backup.steps import Steps

RESOURCE = "aws_db_instance.main"
"""The instance in Terraform's state."""

KEPT_AT_RESTORE = {
    "DBInstanceClass": "DBInstanceClass",
    "MultiAZ": "MultiAZ",
    "PubliclyAccessible": "PubliclyAccessible",
    "StorageType": "StorageType",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "DeletionProtection": "DeletionProtection",
    "EnabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
}
"""As RDS describes an instance, and as it is asked for one. What is not asked for becomes RDS's default."""

KEPT_AFTERWARDS = {
    "BackupRetentionPeriod": "BackupRetentionPeriod",
    "PreferredBackupWindow": "PreferredBackupWindow",
    "PreferredMaintenanceWindow": "PreferredMaintenanceWindow",
    "MaxAllocatedStorage": "MaxAllocatedStorage",
    "CACertificateIdentifier": "CACertificateIdentifier",
    "MonitoringInterval": "MonitoringInterval",
    "MonitoringRoleArn": "MonitoringRoleArn",
    "PerformanceInsightsEnabled": "EnablePerformanceInsights",
    "PerformanceInsightsKMSKeyId": "PerformanceInsightsKMSKeyId",
}
"""What a restore does not take, and a change does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRestoreOrder:
    name: str
    """What begins every name in AWS."""
    at: datetime | None = None
    """The point in time; without it the latest that can be restored. Not with a snapshot."""
    snapshot: str = ""
    """Identifier or ARN of a snapshot of RDS, or of a recovery point of AWS Backup (`awsbackup:job-…`)."""
    dry_run: bool = False
    terraform: Path | None = None
    """The folder of the configuration whose state follows by itself; without it the commands are printed."""
    variables: str = "env/production.tfvars"
    agrees: Callable[[str], bool] = field(default=lambda _: True)
    every_s: float = 15
    longest_s: float = 4 * 3600

    @property
    def serving(self) -> str:
        return f"{self.name}-database"

    @property
    def restored(self) -> str:
        return f"{self.name}-database-restored"

    @property
    def parameter(self) -> str:
        """Which secret opens the database as its master: machines and tasks read it, and so need no new template."""
        return f"/{self.name}/database/secret"


def restore(order: InstanceRestoreOrder, steps: Steps) -> None:
    """Raises Failed; before the names change, what serves is as it was."""
    with steps("look at the instance that serves") as said:
        old = described(order.serving)
        said(f"{old['DBInstanceClass']}, PostgreSQL {old['EngineVersion']}")
        said(source(order, old))
    if order.dry_run:
        steps.say(plan(order, old))
        return
    with steps(f"restore into {order.restored}"):
        begin(order, old)
        wait(order, order.restored)
    with steps("give it what a restore leaves out, and a new password that RDS keeps") as said:
        client("rds").modify_db_instance(**changes(order, old))
        secret = wait_for_secret(order)
        said(secret)
    with steps("make its parameters count") as said:
        said(made_in_sync(order))
    if not order.agrees(f"Swap now? {order.serving} is away for about two minutes; terminals keep their reports."):
        steps.say(f"Nothing was swapped; {order.restored} stays. To go on: the same command with --swap-only")
        return
    exchange(order, steps)


def exchange(order: InstanceRestoreOrder, steps: Steps) -> None:
    """Put the restored instance in the place of the one that serves. Raises Failed."""
    kept = f"{order.serving}-before-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with steps(f"rename {order.serving} to {kept}"):
        rename(order, order.serving, kept)
    with steps(f"rename {order.restored} to {order.serving}"):
        rename(order, order.restored, order.serving)
    with steps(f"hand its secret over in {order.parameter}") as said:
        secret = str(described(order.serving)["MasterUserSecret"]["SecretArn"])
        client("ssm").put_parameter(Name=order.parameter, Value=secret, Type="String", Overwrite=True)
        said(secret)
    with steps("let Terraform's state follow") as said:
        said(follow(order))
    steps.say(f"Done in {steps.took}. {kept} is kept; delete it when nobody needs it. Now {NEXT}")


NEXT = (
    "terraform apply, migrate and roll out the release that serves once more: roles may then read the new secret, and "
    "every process does (docs/runbook.md#restore)"
)


def source(order: InstanceRestoreOrder, old: Mapping[str, Any]) -> str:
    """What is restored from, in words. Raises Failed when RDS cannot reach back to it."""
    if order.snapshot:
        return f"from the snapshot {order.snapshot}"
    latest = old.get("LatestRestorableTime")
    if order.at and latest and order.at > latest:
        raise BackupFailed(f"RDS reaches to {latest:%Y-%m-%dT%H:%M:%SZ}, and not yet to {order.at:%Y-%m-%dT%H:%M:%SZ}")
    return f"to {order.at:%Y-%m-%dT%H:%M:%SZ}" if order.at else "to the latest moment that RDS has"


def begin(order: InstanceRestoreOrder, old: Mapping[str, Any]) -> None:
    """Ask for the new instance, with all options of the old one: RDS copies none of them."""
    rds, options = client("rds"), like(old)
    if order.snapshot:
        rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=order.restored, DBSnapshotIdentifier=order.snapshot, **options
        )
        return
    moment = {"RestoreTime": order.at} if order.at else {"UseLatestRestorableTime": True}
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=order.serving, TargetDBInstanceIdentifier=order.restored, **moment, **options
    )


def like(old: Mapping[str, Any]) -> dict[str, Any]:
    kept = {asked: old[told] for told, asked in KEPT_AT_RESTORE.items() if old.get(told) is not None}
    return kept | {
        "DBSubnetGroupName": old["DBSubnetGroup"]["DBSubnetGroupName"],
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in old["VpcSecurityGroups"]],
        "DBParameterGroupName": old["DBParameterGroups"][0]["DBParameterGroupName"],
        "Tags": old.get("TagList", []),
    }


def changes(order: InstanceRestoreOrder, old: Mapping[str, Any]) -> dict[str, Any]:
    """For the restored instance. Its password is that of the moment it was restored to, which nobody has any more."""
    kept = {asked: old[told] for told, asked in KEPT_AFTERWARDS.items() if old.get(told)}
    key = (old.get("MasterUserSecret") or {}).get("KmsKeyId")
    return {
        "DBInstanceIdentifier": order.restored,
        "ManageMasterUserPassword": True,
        **({"MasterUserSecretKmsKeyId": key} if key else {}),
        **kept,
        "ApplyImmediately": True,
    }


def wait_for_secret(order: InstanceRestoreOrder) -> str:
    """Until the changes are made, and Secrets Manager has the new password: its ARN."""

    def is_done(seen: Mapping[str, Any]) -> bool:
        secret = seen.get("MasterUserSecret") or {}
        return not seen.get("PendingModifiedValues") and secret.get("SecretStatus") in ("active", None, "creating")

    seen = wait(order, order.restored, is_done)
    return str(seen["MasterUserSecret"]["SecretArn"])


def made_in_sync(order: InstanceRestoreOrder) -> str:
    """Parameters that ask for a restart count after one. It serves nobody yet."""
    if is_in_sync(described(order.restored)):
        return "they do already"
    client("rds").reboot_db_instance(DBInstanceIdentifier=order.restored)
    wait(order, order.restored, is_in_sync)
    return "after a restart"


def is_in_sync(seen: Mapping[str, Any]) -> bool:
    return all(group.get("ParameterApplyStatus", "in-sync") == "in-sync" for group in seen["DBParameterGroups"])


def rename(order: InstanceRestoreOrder, name: str, new: str) -> None:
    """Until it is there under its new name, and nothing is under the old one: the next rename needs the name free."""
    client("rds").modify_db_instance(DBInstanceIdentifier=name, NewDBInstanceIdentifier=new, ApplyImmediately=True)
    until(order, lambda: exists(new) and not exists(name), f"{name} is not {new} yet")
    wait(order, new)


def wait(
    order: InstanceRestoreOrder, name: str, is_done: Callable[[Mapping[str, Any]], bool] = lambda seen: True
) -> Mapping[str, Any]:
    """Until it is available, and `is_done`. Raises Failed when it never is."""
    until(order, lambda: is_available(described(name)) and is_done(described(name)), f"{name} is not ready")
    return described(name)


def is_available(seen: Mapping[str, Any]) -> bool:
    if seen["DBInstanceStatus"] in ("failed", "incompatible-restore", "incompatible-parameters", "storage-full"):
        raise BackupFailed(f"{seen['DBInstanceIdentifier']} is {seen['DBInstanceStatus']}: see its events in RDS")
    return bool(seen["DBInstanceStatus"] == "available")


def until(order: InstanceRestoreOrder, look: Callable[[], bool], late: str) -> None:
    deadline = time.monotonic() + order.longest_s
    while not look():
        if time.monotonic() > deadline:
            raise BackupFailed(f"{late}, after {order.longest_s / 60:.0f} min; look at its events in RDS")
        time.sleep(order.every_s)


def described(name: str) -> Mapping[str, Any]:
    """Raises Failed when it is not there."""
    rds = client("rds")
    try:
        found: Mapping[str, Any] = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    except rds.exceptions.ClientError as error:
        if code_of(error).startswith("DBInstanceNotFound"):
            raise BackupFailed(f"RDS has no instance {name}") from None
        raise
    return found


def exists(name: str) -> bool:
    try:
        described(name)
    except BackupFailed:
        return False
    return True


def follow(order: InstanceRestoreOrder) -> str:
    """Terraform knows an instance by RDS's own id: without this it would make a third one."""
    if order.terraform is None:
        return "run these in deploy/terraform:\n" + "\n".join(f"    {' '.join(each)}" for each in state_commands(order))
    for command in state_commands(order):
        subprocess.run(command, cwd=order.terraform, check=True, capture_output=True, text=True)
    return f"{RESOURCE} is {order.serving}; `terraform plan` must want no replacement"


def state_commands(order: InstanceRestoreOrder) -> Sequence[Sequence[str]]:
    return (
        ("terraform", "state", "rm", RESOURCE),
        ("terraform", "import", f"-var-file={order.variables}", RESOURCE, order.serving),
    )


def plan(order: InstanceRestoreOrder, old: Mapping[str, Any]) -> str:
    options = ", ".join(f"{name}={value}" for name, value in like(old).items())
    return (
        f"Dry run: would restore {order.serving} into {order.restored} ({source(order, old)}) with {options}; give it"
        f" {', '.join(KEPT_AFTERWARDS.values())} and a new password; ask; rename {order.serving} away and"
        f" {order.restored} to {order.serving}; write {order.parameter}; and let the state of Terraform follow."
        f" Nothing was done."
    )
