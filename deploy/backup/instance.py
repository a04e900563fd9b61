"""Restores an RDS instance beside the current one, with the same options, and swaps the two.

From a point in time or a snapshot, including those of AWS Backup. The endpoint contains the instance's name, so clients
keep their address. Nothing is deleted: the previous instance stays, under another name. A drill (`--verify-only`) does
not touch the current instance, and deletes only the restored one.
"""

import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from deploy.aws import Resource, client, code_of
from deploy.backup.failure import BackupFailed
from deploy.backup.steps import Steps

RESOURCE = "aws_db_instance.main"
"""The instance in Terraform's state."""

COPIED_AT_RESTORE = {
    "DBInstanceClass": "DBInstanceClass",
    "MultiAZ": "MultiAZ",
    "PubliclyAccessible": "PubliclyAccessible",
    "StorageType": "StorageType",
    "AutoMinorVersionUpgrade": "AutoMinorVersionUpgrade",
    "CopyTagsToSnapshot": "CopyTagsToSnapshot",
    "DeletionProtection": "DeletionProtection",
    "EnabledCloudwatchLogsExports": "EnableCloudwatchLogsExports",
}
"""Attribute of a described instance → parameter of a restore. RDS uses defaults for parameters that are left out."""

COPIED_AFTERWARDS = {
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
"""The same for parameters that only a modification accepts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceRestoreOptions:
    name: str
    """The prefix of every name in AWS."""
    at: datetime | None = None
    """The point in time; None for the latest that can be restored. Ignored with a snapshot."""
    snapshot: str = ""
    """Identifier or ARN of a snapshot of RDS, or of a recovery point of AWS Backup (`awsbackup:job-…`)."""
    dry_run: bool = False
    terraform: Path | None = None
    """The folder of the Terraform configuration whose state is updated; None to print the commands."""
    variables: str = "env/production.tfvars"
    drill: bool = False
    """Whether to delete the restored instance again instead of swapping it in."""
    confirm: Callable[[str], bool] = field(default=lambda _: True)
    every_s: float = 15
    longest_s: float = 4 * 3600

    @property
    def serving(self) -> str:
        return f"{self.name}-database"

    @property
    def restored(self) -> str:
        return f"{self.name}-database-{'drill' if self.drill else 'restored'}"

    @property
    def parameter(self) -> str:
        """The SSM parameter that names the secret of the master user. Machines and tasks read it when they start."""
        return f"/{self.name}/database/secret"


def restore(options: InstanceRestoreOptions, steps: Steps) -> None:
    """Raises BackupFailed; until the instances are renamed, the current one is unchanged."""
    with steps("describe the current instance") as note:
        old = instance_details(options.serving)
        note(f"{old['DBInstanceClass']}, PostgreSQL {old['EngineVersion']}")
        note(source(options, old))
    if options.dry_run:
        steps.log(plan(options, old))
        return
    with steps(f"restore into {options.restored}"):
        begin(options, old)
        wait(options, options.restored)
    if options.drill:
        finish_drill(options, steps)
        return
    with steps("set what a restore leaves out, and a new password that RDS manages") as note:
        client("rds").modify_db_instance(**changes(options, old))
        secret = wait_for_secret(options)
        note(secret)
    with steps("apply its parameter group") as note:
        note(apply_parameters(options))
    if not options.confirm(
        f"Swap now? {options.serving} will be unavailable for about two minutes; terminals keep their reports."
    ):
        steps.log(f"Nothing was swapped; {options.restored} stays. To go on: the same command with --swap-only")
        return
    swap_in(options, steps)


def finish_drill(options: InstanceRestoreOptions, steps: Steps) -> None:
    """Let a person look at the restored instance, and delete it. The current one is not used. Raises BackupFailed."""
    with steps("apply its parameter group") as note:
        note(apply_parameters(options))
    host = instance_details(options.restored)["Endpoint"]["Address"]
    steps.log(f"Compare it with the current one: deploy/shell.sh psql -h {host} -c '{NEWEST}'")
    if not options.confirm(f"Delete {options.restored} now? Until then it costs as much as the current instance."):
        steps.log(f"{options.restored} stays; to delete it: aws rds delete-db-instance")
        return
    with steps(f"delete {options.restored}"):
        # A restore may copy the protection of the current instance.
        client("rds").modify_db_instance(
            DBInstanceIdentifier=options.restored, DeletionProtection=False, ApplyImmediately=True
        )
        client("rds").delete_db_instance(
            DBInstanceIdentifier=options.restored, SkipFinalSnapshot=True, DeleteAutomatedBackups=True
        )
    steps.log(f"The drill took {steps.took}: write it down as the time that a restore needs.")


NEWEST = "SELECT count(*), max(last_seen_at) FROM fleet_terminal"


def swap_in(options: InstanceRestoreOptions, steps: Steps) -> None:
    """Replace the current instance with the restored one. Raises BackupFailed."""
    copied = f"{options.serving}-before-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    with steps(f"rename {options.serving} to {copied}"):
        rename(options, options.serving, copied)
    with steps(f"rename {options.restored} to {options.serving}"):
        rename(options, options.restored, options.serving)
    with steps(f"publish its secret in {options.parameter}") as note:
        secret = str(instance_details(options.serving)["MasterUserSecret"]["SecretArn"])
        client("ssm").put_parameter(Name=options.parameter, Value=secret, Type="String", Overwrite=True)
        note(secret)
    with steps("update Terraform's state") as note:
        note(update_terraform_state(options))
    steps.log(f"Done in {steps.took}. {copied} is kept; delete it when it is no longer needed. Now {NEXT}")


NEXT = (
    "deploy/terraform/tf apply, migrate and roll out the current release again: roles may then read the new secret, "
    "and every process does (docs/runbook.md#restore)"
)


def source(options: InstanceRestoreOptions, old: Resource) -> str:
    """Describe what is restored. Raises BackupFailed if RDS cannot restore that point in time."""
    if options.snapshot:
        return f"from the snapshot {options.snapshot}"
    latest = old.get("LatestRestorableTime")
    if options.at and latest and options.at > latest:
        raise BackupFailed(
            f"RDS reaches to {latest:%Y-%m-%dT%H:%M:%SZ}, and not yet to {options.at:%Y-%m-%dT%H:%M:%SZ}"
        )
    return f"to {options.at:%Y-%m-%dT%H:%M:%SZ}" if options.at else "to the latest moment that RDS has"


def begin(options: InstanceRestoreOptions, old: Resource) -> None:
    """Request the new instance, with all options of the old one: RDS copies none of them."""
    rds, copied = client("rds"), copied_options(options, old)
    if options.snapshot:
        rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=options.restored, DBSnapshotIdentifier=options.snapshot, **copied
        )
        return
    moment = {"RestoreTime": options.at} if options.at else {"UseLatestRestorableTime": True}
    rds.restore_db_instance_to_point_in_time(
        SourceDBInstanceIdentifier=options.serving, TargetDBInstanceIdentifier=options.restored, **moment, **copied
    )


def copied_options(options: InstanceRestoreOptions, old: Resource) -> dict[str, Any]:
    copied = {
        parameter: old[attribute]
        for attribute, parameter in COPIED_AT_RESTORE.items()
        if old.get(attribute) is not None
    }
    if options.drill:
        copied |= {"DeletionProtection": False, "MultiAZ": False}
    return copied | {
        "DBSubnetGroupName": old["DBSubnetGroup"]["DBSubnetGroupName"],
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in old["VpcSecurityGroups"]],
        "DBParameterGroupName": old["DBParameterGroups"][0]["DBParameterGroupName"],
        "Tags": [tag for tag in old.get("TagList", []) if not tag["Key"].startswith("aws:")],  # AWS sets those
    }


def changes(options: InstanceRestoreOptions, old: Resource) -> dict[str, Any]:
    """The modification of the restored instance. It gets a new password, because the old one may no longer be known."""
    copied = {parameter: old[attribute] for attribute, parameter in COPIED_AFTERWARDS.items() if old.get(attribute)}
    key = (old.get("MasterUserSecret") or {}).get("KmsKeyId")
    return {
        "DBInstanceIdentifier": options.restored,
        "ManageMasterUserPassword": True,
        **({"MasterUserSecretKmsKeyId": key} if key else {}),
        **copied,
        "ApplyImmediately": True,
    }


def wait_for_secret(options: InstanceRestoreOptions) -> str:
    """Wait until the modification is applied and Secrets Manager has the new password. Returns the secret's ARN."""

    def is_done(seen: Resource) -> bool:
        secret = seen.get("MasterUserSecret")  # not there until RDS has begun with the modification
        if not secret or seen.get("PendingModifiedValues"):
            return False
        return secret.get("SecretStatus") in ("active", None, "creating")

    seen = wait(options, options.restored, is_done)
    return str(seen["MasterUserSecret"]["SecretArn"])


def apply_parameters(options: InstanceRestoreOptions) -> str:
    """Some parameters apply only after a restart. The instance does not serve yet."""
    if is_in_sync(instance_details(options.restored)):
        return "applied already"
    client("rds").reboot_db_instance(DBInstanceIdentifier=options.restored)
    wait(options, options.restored, is_in_sync)
    return "after a restart"


def is_in_sync(seen: Resource) -> bool:
    return all(group.get("ParameterApplyStatus", "in-sync") == "in-sync" for group in seen["DBParameterGroups"])


def rename(options: InstanceRestoreOptions, name: str, new: str) -> None:
    """Rename, and wait until the new name exists and the old one is free for the next rename."""
    client("rds").modify_db_instance(DBInstanceIdentifier=name, NewDBInstanceIdentifier=new, ApplyImmediately=True)
    until(options, lambda: exists(new) and not exists(name), f"{name} is not {new} yet")
    wait(options, new)


def wait(
    options: InstanceRestoreOptions, name: str, is_done: Callable[[Resource], bool] = lambda seen: True
) -> Resource:
    """Wait until it is available and `is_done`. Raises BackupFailed after `longest_s`."""
    until(
        options,
        lambda: is_available(instance_details(name)) and is_done(instance_details(name)),
        f"{name} is not ready",
    )
    return instance_details(name)


def is_available(seen: Resource) -> bool:
    if seen["DBInstanceStatus"] in ("failed", "incompatible-restore", "incompatible-parameters", "storage-full"):
        raise BackupFailed(f"{seen['DBInstanceIdentifier']} is {seen['DBInstanceStatus']}: see its events in RDS")
    return bool(seen["DBInstanceStatus"] == "available")


def until(options: InstanceRestoreOptions, is_done: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + options.longest_s
    while not is_done():
        if time.monotonic() > deadline:
            raise BackupFailed(f"{problem}, after {options.longest_s / 60:.0f} min; see its events in RDS")
        time.sleep(options.every_s)


def instance_details(name: str) -> Resource:
    """Raises BackupFailed if it does not exist."""
    rds = client("rds")
    try:
        found: Resource = rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    except rds.exceptions.ClientError as error:
        if code_of(error).startswith("DBInstanceNotFound"):
            raise BackupFailed(f"RDS has no instance {name}") from None
        raise
    return found


def exists(name: str) -> bool:
    try:
        instance_details(name)
    except BackupFailed:
        return False
    return True


def update_terraform_state(options: InstanceRestoreOptions) -> str:
    """Terraform identifies an instance by its RDS id: without this it would create a third one."""
    if options.terraform is None:
        return "run these in deploy/terraform:\n" + "\n".join(
            f"    {' '.join(each)}" for each in state_commands(options)
        )
    for command in state_commands(options):
        subprocess.run(command, cwd=options.terraform, check=True, capture_output=True, text=True)
    return f"{RESOURCE} is {options.serving}; `deploy/terraform/tf plan` must show no replacement"


def state_commands(options: InstanceRestoreOptions) -> Sequence[Sequence[str]]:
    return (
        ("terraform", "state", "rm", RESOURCE),
        ("terraform", "import", f"-var-file={options.variables}", RESOURCE, options.serving),
    )


def plan(options: InstanceRestoreOptions, old: Resource) -> str:
    copied = ", ".join(f"{name}={value}" for name, value in copied_options(options, old).items())
    if options.drill:
        return (
            f"Dry run: would restore {options.serving} into {options.restored} ({source(options, old)}) with {copied};"
            " ask; and delete it. Nothing was done."
        )
    return (
        f"Dry run: would restore {options.serving} into {options.restored} ({source(options, old)}) with {copied};"
        f" set {', '.join(COPIED_AFTERWARDS.values())} and a new password; ask; rename {options.serving} away and"
        f" {options.restored} to {options.serving}; write {options.parameter}; and update Terraform's state."
        f" Nothing was done."
    )
