"""`deploy/backup.sh` and `deploy/restore.sh`."""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from deploy.aws import AwsError
from deploy.backup import metrics, restore, take
from deploy.backup.database import Database
from deploy.backup.failure import Busy, Failed, sentence
from deploy.backup.steps import Steps
from deploy.backup.store import Bucket

BUSY = 75
"""As sysexits.h: try again later."""


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        options.act(options)
    except Busy as busy:
        return tell(busy, BUSY)
    except (Failed, ImproperlyConfigured, *AwsError) as failed:
        return tell(failed, 1)
    return 0


def tell(error: Exception, code: int) -> int:
    print(f"tms: {sentence(error)}", file=sys.stderr)
    return code


def act_take(options: argparse.Namespace) -> None:
    order = take.Order(options.folder, options.bucket, options.keep_days, options.unless_younger)
    try:
        take.take(order, Steps())
    except Busy:
        raise
    except Failed as failed:
        with contextlib.suppress(*AwsError):  # the alarm sounds by itself when nothing comes
            metrics.tell_failure()
        raise failed from None


def act_age(options: argparse.Namespace) -> None:
    age_s = Bucket.configured(options.bucket).latest().age_s
    metrics.tell_age(age_s)
    print(f"The newest backup is {age_s / 3600:.1f} h old.")


def act_restore(options: argparse.Namespace) -> None:
    steps, agrees = Steps(), (lambda _: True) if options.yes else restore.ask
    if options.back:
        return restore.back(Database.configured(), agrees, steps)
    if options.swap:
        return restore.exchange(Database.configured(), options.swap, agrees, steps)
    return restore.restore(
        restore.Order(
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


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="deploy.backup", description=__doc__)
    commands = whole.add_subparsers(required=True)
    taking = commands.add_parser("take", prog="backup.sh", description="Back up the database to S3, verified.")
    taking.add_argument("--keep-days", type=float, default=30, help="remove local copies that are older (30)")
    taking.add_argument(
        "--unless-younger", type=float, default=0, metavar="HOURS", help="do nothing when the newest is younger"
    )
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
    for command in (taking, telling, restoring):
        command.add_argument("--bucket", default="", help="(BACKUP_BUCKET, or tms-<account>-backups)")
    for command in (taking, restoring):
        folder = os.environ.get("BACKUP_FOLDER") or "/var/backups/tms"
        command.add_argument("--folder", type=Path, default=Path(folder), help=f"for local copies ({folder})")
    return whole


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
