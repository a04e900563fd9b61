"""`deploy/backup.sh` and `deploy/restore.sh`."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from deploy.aws import AwsError
from deploy.backup import instance, metrics, restore, take
from deploy.backup.failure import BackupFailed, BackupInProgress, one_line
from deploy.backup.postgresql.database import Database
from deploy.backup.postgresql.programs import find
from deploy.backup.steps import Steps
from deploy.backup.storage.store import BackupBucket

BUSY = 75
"""EX_TEMPFAIL of sysexits.h: try again later."""


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        options.act(options)
    except BackupInProgress as busy:
        return print_error(busy, BUSY)
    except (BackupFailed, ImproperlyConfigured, *AwsError) as failed:
        return print_error(failed, 1)
    return 0


def print_error(error: Exception, code: int) -> int:
    print(f"tms: {one_line(error)}", file=sys.stderr)
    return code


def take_backup(options: argparse.Namespace) -> None:
    job = take.BackupOptions(options.folder, options.bucket, options.keep_days, options.unless_younger, options.stream)
    try:
        take.take(job, Steps())
    except BackupInProgress:
        raise
    except BackupFailed as failed:
        with contextlib.suppress(*AwsError):  # the alarm fires without a data point, too
            metrics.publish_failure()
        raise failed from None


def publish_backup_age(options: argparse.Namespace) -> None:
    age_s = BackupBucket.configured(options.bucket).latest().age_s
    metrics.publish_age(age_s)
    print(f"The newest backup is {age_s / 3600:.1f} h old.")


def restore_database(options: argparse.Namespace) -> None:
    steps, confirm = Steps(), (lambda _: True) if options.yes else restore.ask_terminal
    if options.back:
        return restore.swap_back(Database.configured(), confirm, steps)
    if options.swap:
        return restore.swap_in(Database.configured(), options.swap, confirm, steps)
    return restore.restore(
        restore.RestoreOptions(
            folder=options.folder,
            bucket=options.bucket,
            key=options.backup,
            jobs=options.jobs,
            dry_run=options.dry_run,
            verify_only=options.verify_only,
            confirm=confirm,
        ),
        steps,
    )


def restore_instance(options: argparse.Namespace) -> None:
    job = instance.InstanceRestoreOptions(
        name=options.name,
        at=getattr(options, "at", None),
        snapshot=getattr(options, "snapshot", ""),
        dry_run=options.dry_run,
        drill=options.verify_only,
        terraform=options.terraform,
        variables=options.var_file,
        confirm=(lambda _: True) if options.yes else restore.ask_terminal,
        every_s=options.every,
    )
    if options.swap_only:
        return instance.swap_in(job, Steps())
    return instance.restore(job, Steps())


def exec_psql(options: argparse.Namespace) -> None:
    """Replace this process with psql. The password is in its environment, not on its command line."""
    database = Database.configured(as_master=options.master)
    program = find("psql")
    os.execve(program, [program, *options.arguments], os.environ | database.environment)


def zoned_datetime(text: str) -> datetime:
    """Require a time zone: a restore to the wrong hour is noticed late."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} has no time zone; expected for example 2026-01-31T03:15:00Z")
    return at.astimezone(UTC)


def add_instance_commands(commands: Any) -> None:
    """`restore.sh point-in-time` and `restore.sh snapshot`. They need permission to change RDS."""
    time_parser = commands.add_parser("point-in-time", prog="restore.sh point-in-time", description=instance.__doc__)
    time_parser.add_argument(
        "--at", type=zoned_datetime, metavar="TIME", help="for example 2026-01-31T03:15:00Z; default: the latest"
    )
    snapshot_parser = commands.add_parser("snapshot", prog="restore.sh snapshot", description=instance.__doc__)
    snapshot_parser.add_argument("snapshot", help="its identifier or ARN; those of AWS Backup begin with awsbackup:")
    for one in (time_parser, snapshot_parser):
        one.add_argument(
            "--name", default=os.environ.get("TMS_NAME") or "tms", help="prefix of every name in AWS (tms)"
        )
        one.add_argument("--dry-run", action="store_true", help="print what would be done")
        one.add_argument("--yes", action="store_true", help="swap without asking")
        way = one.add_mutually_exclusive_group()
        way.add_argument("--swap-only", action="store_true", help="only swap: the instance is restored already")
        way.add_argument("--verify-only", action="store_true", help="a drill: restore, and delete the instance again")
        one.add_argument("--terraform", type=Path, metavar="FOLDER", help="update the state in this folder, too")
        one.add_argument("--var-file", default="env/production.tfvars", help="(env/production.tfvars)")
        one.add_argument("--every", type=float, default=15, help="seconds between polls (15)")
        one.set_defaults(act=restore_instance)


def parser() -> argparse.ArgumentParser:
    main_parser = argparse.ArgumentParser(prog="deploy.backup", description=__doc__)
    commands = main_parser.add_subparsers(required=True)
    take_parser = commands.add_parser("take", prog="backup.sh", description="Back up the database to S3, verified.")
    take_parser.add_argument("--keep-days", type=float, default=30, help="remove local copies that are older (30)")
    take_parser.add_argument(
        "--unless-younger", type=float, default=0, metavar="HOURS", help="do nothing if the newest backup is younger"
    )
    take_parser.add_argument("--stream", action="store_true", help="upload to S3 without a local copy")
    take_parser.set_defaults(act=take_backup)
    age_parser = commands.add_parser("age", prog="backup age", description="Publish the age of the newest backup.")
    age_parser.set_defaults(act=publish_backup_age)
    restore_parser = commands.add_parser(
        "restore", prog="restore.sh", description="Restore into a new database, verify it, swap. Nothing is dropped."
    )
    restore_parser.add_argument("backup", nargs="?", default="", help="its name; default: the newest")
    restore_parser.add_argument("--jobs", type=int, default=2, help="parallel connections (2)")
    restore_parser.add_argument("--yes", action="store_true", help="swap without asking")
    way = restore_parser.add_mutually_exclusive_group()
    way.add_argument("--dry-run", action="store_true", help="print what would be done")
    way.add_argument("--verify-only", action="store_true", help="restore and verify, but do not swap")
    way.add_argument("--swap", metavar="NAME", help="swap in this database, restored earlier")
    way.add_argument("--back", action="store_true", help="undo the last swap")
    restore_parser.set_defaults(act=restore_database)
    add_instance_commands(commands)
    psql_parser = commands.add_parser("psql", prog="psql", description="Run psql on the database of TMS.")
    psql_parser.add_argument("--master", action="store_true", help="as the master user of the server")
    psql_parser.add_argument("arguments", nargs=argparse.REMAINDER, help="of psql")
    psql_parser.set_defaults(act=exec_psql)
    for command in (take_parser, age_parser, restore_parser):
        command.add_argument("--bucket", default="", help="(BACKUP_BUCKET, or tms-<account>-backups)")
    for command in (take_parser, restore_parser):
        folder = os.environ.get("BACKUP_FOLDER") or "/var/backups/tms"
        command.add_argument("--folder", type=Path, default=Path(folder), help=f"for local copies ({folder})")
    return main_parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
