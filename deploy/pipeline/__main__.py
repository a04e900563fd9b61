"""`python -m deploy.pipeline STEP`: each step of a deployment that talks to AWS; `deploy/rollback.sh` is one."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.aws import AwsError
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.ecs import Containers
from deploy.pipeline.failure import Failed
from deploy.pipeline.waiting import Patience


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        options.act(options)
    except (Failed, OSError, *AwsError) as error:
        print(f"tms: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    return 0


def fleet(options: argparse.Namespace) -> Machines | Containers:
    return Machines(options.name) if options.compute == "ec2" else Containers(options.name)


def patience(options: argparse.Namespace) -> Patience:
    return Patience(every_s=options.every, longest_s=options.longest)


def act_current(options: argparse.Namespace) -> None:
    print(fleet(options).current())


def act_publish(options: argparse.Namespace) -> None:
    print(Machines(options.name).publish(options.artefact))


def act_migrate(options: argparse.Namespace) -> None:
    """Machines run them by themselves when they start, once for each release."""
    where = fleet(options)
    if isinstance(where, Containers):
        where.migrate(options.what, patience(options))
    else:
        print("The first machine that starts with the new release runs its migrations, under a lock.")


def act_roll_out(options: argparse.Namespace) -> None:
    fleet(options).roll_out(options.what, patience(options))
    print(f"{options.what} serves.")


def act_roll_back(options: argparse.Namespace) -> None:
    where = fleet(options)
    if options.template:
        if not isinstance(where, Machines):
            raise Failed("--template is of ec2; on ecs roll back by digest: --to REPOSITORY@sha256:…")
        return where.use_template(options.template, patience(options))
    target = options.to or where.previous()
    print(f"Back from {where.current()} to {target}", flush=True)
    where.roll_out(target, patience(options))
    print(f"{target} serves again. Migrations stay: each release works with the tables of the next one.")
    return None


def parser() -> argparse.ArgumentParser:
    whole = argparse.ArgumentParser(prog="deploy.pipeline", description=__doc__)
    whole.set_defaults(act=None)
    steps = whole.add_subparsers(required=True, metavar="STEP")
    current = steps.add_parser("current", help="print the release, or the image, that is served")
    current.set_defaults(act=act_current)
    publish = steps.add_parser("publish", help="upload a release with its checksum")
    publish.add_argument("artefact", type=Path, help="dist/tms-VERSION.tar.gz")
    publish.set_defaults(act=act_publish, compute="ec2")
    migrate = steps.add_parser("migrate", help="run the migrations before anybody is served")
    migrate.set_defaults(act=act_migrate)
    out = steps.add_parser("roll-out", help="serve it, and wait until it is stable")
    out.set_defaults(act=act_roll_out)
    back = steps.add_parser("roll-back", prog="rollback.sh", help="serve what was served before")
    back.set_defaults(act=act_roll_back)
    for step in (current, migrate, out, back):
        step.add_argument("compute", choices=("ec2", "ecs"))
    for step in (migrate, out):
        step.add_argument("what", help="a release (ec2), or an image by digest (ecs)")
    back.add_argument("--to", default="", help="a release (ec2), or an image by digest (ecs); else the one before")
    back.add_argument("--template", default="", metavar="N", help="ec2: this version of the launch template instead")
    for step in (current, publish, migrate, out, back):
        step.add_argument("--name", default="tms", help="what begins every name in AWS (tms)")
        step.add_argument("--every", type=float, default=10, help="seconds between looks (10)")
        step.add_argument("--longest", type=float, default=1800, help="seconds until it gives up (1800)")
    return whole


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
