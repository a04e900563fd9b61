"""`python -m deploy.pipeline STEP`: each step of a deployment that talks to AWS; `deploy/rollback.sh` is one."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.aws import AwsError
from deploy.pipeline import alarms, sbom
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.ecs import Containers
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.waiting import Patience


def main(arguments: Sequence[str]) -> int:
    options = parser().parse_args(arguments)
    try:
        options.act(options)
    except (DeploymentFailed, OSError, *AwsError) as error:
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


def act_alarms(options: argparse.Namespace) -> None:
    print(alarms.on_one_line(options.name))


def act_sbom(options: argparse.Namespace) -> None:
    options.file.write_text(sbom.document(options.version))
    print(f"{options.file} lists {len(sbom.components())} packages.")


def act_migrate(options: argparse.Namespace) -> None:
    fleet(options).migrate(options.what, patience(options))


def act_roll_out(options: argparse.Namespace) -> None:
    fleet(options).roll_out(options.what, patience(options), begin=say_begun)
    print(f"{options.what} serves.")


def say_begun() -> None:
    """To the steps of the workflow that follow: from here on there is something to roll back."""
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a") as file:
            file.write("begun=yes\n")


def act_mark_good(options: argparse.Namespace) -> None:
    good = fleet(options).good
    good.mark(options.what)
    print(f"{good.parameter} is {', '.join(good.all())}")


def act_roll_back(options: argparse.Namespace) -> None:
    where = fleet(options)
    if options.template:
        if not isinstance(where, Machines):
            raise DeploymentFailed("--template is of ec2; on ecs roll back by digest: --to REPOSITORY@sha256:…")
        return where.use_template(options.template, patience(options))
    left = where.current()
    target = options.to or where.previous()
    print(f"Back from {left} to {target}", flush=True)
    if left != target:
        where.good.leave(left)
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
    good = steps.add_parser("mark-good", help="say that its checklist passed: a rollback may return to it")
    good.set_defaults(act=act_mark_good)
    ring = steps.add_parser("alarms", help="print the alarms that ring, in one line")
    ring.set_defaults(act=act_alarms)
    bill = steps.add_parser("sbom", help="write what the release is made of, as CycloneDX")
    bill.add_argument("version")
    bill.add_argument("file", type=Path)
    bill.set_defaults(act=act_sbom)
    back = steps.add_parser("roll-back", prog="rollback.sh", help="serve what was served before")
    back.set_defaults(act=act_roll_back)
    for step in (current, migrate, out, good, back):
        step.add_argument("compute", choices=("ec2", "ecs"))
    for step in (migrate, out, good):
        step.add_argument("what", help="a release (ec2), or an image by digest (ecs)")
    back.add_argument("--to", default="", help="a release (ec2), or an image by digest (ecs); else the good one before")
    back.add_argument("--template", default="", metavar="N", help="ec2: this version of the launch template instead")
    for step in (current, publish, migrate, out, good, ring, back):
        step.add_argument("--name", default="tms", help="what begins every name in AWS (tms)")
        step.add_argument("--every", type=float, default=10, help="seconds between looks (10)")
        step.add_argument("--longest", type=float, default=1800, help="seconds until it gives up (1800)")
    return whole


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
