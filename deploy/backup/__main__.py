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
from deploy.backup.database import Database
from deploy.backup.failure import BackupFailed, Busy, sentence
from deploy.backup.programs import find
from deploy.backup.steps import Steps
from deploy.backup.store import BackupBucket

BUSY = 75
"""As sysexits.h: try again later."""


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        options.act(options)
    except Busy as busy:
        return tell(busy, BUSY)
    except (BackupFailed, ImproperlyConfigured, *AwsError) as failed:
        return tell(failed, 1)
    return 0


def tell(error: Exception, code: int) -> int:
    print(f"tms: {sentence(error)}", file=sys.stderr)
    return code


def act_take(options: argparse.Namespace) -> None:
    order = take.BackupOrder(options.folder, options.bucket, options.keep_days, options.unless_younger, options.stream)
    try:
        take.take(order, Steps())
    except Busy:
        raise
    except BackupFailed as failed:
        with contextlib.suppress(*AwsError):  # the alarm sounds by itself when nothing comes
            metrics.tell_failure()
        raise failed from None


def act_age(options: argparse.Namespace) -> None:
    age_s = BackupBucket.configured(options.bucket).latest().age_s
    metrics.tell_age(age_s)
    print(f"The newest backup is {age_s / 3600:.1f} h old.")


def act_restore(options: argparse.Namespace) -> None:
    steps, agrees = Steps(), (lambda _: True) if options.yes else restore.ask
    if options.back:
        return restore.back(Database.configured(), agrees, steps)
    if options.swap:
        return restore.exchange(Database.configured(), options.swap, agrees, steps)
    return restore.restore(
        restore.RestoreOrder(
            folder=options.folder,
            bucket=options.bucket,
            key=options.backup,
            jobs=options.jobs,
            dry_run=options.dry_run,
            verify_only=options.verify_only,
            agrees=agrees,
        ),
        steps,
    )


def act_instance(options: argparse.Namespace) -> None:
    order = instance.InstanceRestoreOrder(
        name=options.name,
        at=getattr(options, "at", None),
        snapshot=getattr(options, "snapshot", ""),
        dry_run=options.dry_run,
        terraform=options.terraform,
        variables=options.var_file,
        agrees=(lambda _: True) if options.yes else restore.ask,
        every_s=options.every,
    )
    if options.swap_only:
        return instance.exchange(order, Steps())
    return instance.restore(order, Steps())


def act_psql(options: argparse.Namespace) -> None:
    """Become psql, connected: the password is in the environment of the process, and on no command line."""
    database = Database.configured(as_master=options.master)
    program = find("psql")
    os.execve(program, [program, *options.arguments], os.environ | database.environment)


def moment(text: str) -> datetime:
    """With a zone, for a restore to the wrong hour is found late."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text} names no zone; right is 2026-01-31T03:15:00Z, or +09:00 at its end")
    return at.astimezone(UTC)


def add_instance(commands: Any) -> None:
    """`restore.sh point-in-time` and `restore.sh snapshot`: from where Terraform is run, with rights to change RDS."""
    times = commands.add_parser("point-in-time", prog="restore.sh point-in-time", description=instance.__doc__)
    times.add_argument("--at", type=moment, metavar="TIME", help="2026-01-31T03:15:00Z; without it the latest")
    shots = commands.add_parser("snapshot", prog="restore.sh snapshot", description=instance.__doc__)
    shots.add_argument("snapshot", help="its identifier or ARN; AWS Backup's begin with awsbackup:")
    for one in (times, shots):
        one.add_argument("--name", default=os.environ.get("TMS_NAME") or "tms", help="what begins every name (tms)")
        one.add_argument("--dry-run", action="store_true", help="say what would be done")
        one.add_argument("--yes", action="store_true", help="swap without asking")
        one.add_argument("--swap-only", action="store_true", help="it is restored already: only put it in place")
        one.add_argument("--terraform", type=Path, metavar="FOLDER", help="let the state there follow, too")
        one.add_argument("--var-file", default="env/production.tfvars", help="(env/production.tfvars)")
        one.add_argument("--every", type=float, default=15, help="seconds between looks (15)")
        one.set_defaults(act=act_instance)


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="deploy.backup", description=__doc__)
    commands = whole.add_subparsers(required=True)
    taking = commands.add_parser("take", prog="backup.sh", description="Back up the database to S3, verified.")
    taking.add_argument("--keep-days", type=float, default=30, help="remove local copies that are older (30)")
    taking.add_argument(
        "--unless-younger", type=float, default=0, metavar="HOURS", help="do nothing when the newest is younger"
    )
    taking.add_argument("--stream", action="store_true", help="straight into S3, with no local copy")
    taking.set_defaults(act=act_take)
    telling = commands.add_parser("age", prog="backup age", description="Tell CloudWatch how old the newest backup is.")
    telling.set_defaults(act=act_age)
    restoring = commands.add_parser(
        "restore", prog="restore.sh", description="Restore into a new database, verify it, swap. Nothing is dropped."
    )
    restoring.add_argument("backup", nargs="?", default="", help="its name; without it the newest")
    restoring.add_argument("--jobs", type=int, default=2, help="connections that restore at once (2)")
    restoring.add_argument("--yes", action="store_true", help="swap without asking")
    way = restoring.add_mutually_exclusive_group()
    way.add_argument("--dry-run", action="store_true", help="say what would be done")
    way.add_argument("--verify-only", action="store_true", help="restore and verify, and do not swap")
    way.add_argument("--swap", metavar="NAME", help="put this database, restored before, in place")
    way.add_argument("--back", action="store_true", help="put back what was swapped out last")
    restoring.set_defaults(act=act_restore)
    add_instance(commands)
    asking = commands.add_parser("psql", prog="psql", description="psql, connected to the database of TMS.")
    asking.add_argument("--master", action="store_true", help="as the master user of the server")
    asking.add_argument("arguments", nargs=argparse.REMAINDER, help="of psql")
    asking.set_defaults(act=act_psql)
    for command in (taking, telling, restoring):
        command.add_argument("--bucket", default="", help="(BACKUP_BUCKET, or tms-<account>-backups)")
    for command in (taking, restoring):
        folder = os.environ.get("BACKUP_FOLDER") or "/var/backups/tms"
        command.add_argument("--folder", type=Path, default=Path(folder), help=f"for local copies ({folder})")
    return whole


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
