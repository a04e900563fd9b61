"""`python -m deploy.pipeline STEP`: the steps of a deployment that use AWS; `deploy/rollback.sh` is one."""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from botocore.exceptions import ClientError, NoCredentialsError

from deploy.aws import AwsError
from deploy.check.aws.fleet import active_terminals
from deploy.pipeline import alarms, machine_image, sbom, switch
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.ecs import Containers
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.polling import Polling
from deploy.pipeline.schema import Schema

type Steps = argparse._SubParsersAction[argparse.ArgumentParser]


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


def polling(options: argparse.Namespace) -> Polling:
    return Polling(interval_s=options.every, timeout_s=options.longest)


def print_current(options: argparse.Namespace) -> None:
    print(fleet(options).current())


def publish_release(options: argparse.Namespace) -> None:
    print(Machines(options.name).publish(options.artefact))


def print_alarms(options: argparse.Namespace) -> None:
    print(alarms.firing_on_one_line(options.name))


def print_terminals(options: argparse.Namespace) -> None:
    try:
        number = active_terminals()
    except (ClientError, NoCredentialsError):
        number = None
    print("unknown" if number is None else f"{number:g}")


def write_sbom(options: argparse.Namespace) -> None:
    options.file.write_text(sbom.document(options.version))
    print(f"{options.file} lists {len(sbom.components())} packages.")
    if options.publish:
        print(f"{sbom.publish(options.name, options.version, options.file)} keeps it as long as the release.")


def migrate(options: argparse.Namespace) -> None:
    target = fleet(options)
    Schema(target.good).plan(options.what, current=target.current())
    target.migrate(options.what, polling(options))


def roll_out(options: argparse.Namespace) -> None:
    target = fleet(options)
    if options.switch and isinstance(target, Machines):
        switch.roll_out(target, options.what, polling(options), on_begin=report_begin)
    else:
        target.roll_out(options.what, polling(options), on_begin=report_begin)
    print(f"{options.what} serves.")


def report_begin() -> None:
    """Record for the following steps of the workflow that there is something to roll back."""
    if output := os.environ.get("GITHUB_OUTPUT"):
        with Path(output).open("a") as file:
            file.write("begun=yes\n")


def renew_image(options: argparse.Namespace) -> None:
    print(machine_image.renew(Machines(options.name), polling(options)))


def mark_good(options: argparse.Namespace) -> None:
    good = fleet(options).good
    Schema(good).store(options.what)
    good.mark(options.what)
    print(f"{good.parameter} is {', '.join(good.all())}")


def watch(options: argparse.Namespace) -> None:
    alarms.bake(options.name, set(options.before.split(",")), polling(options))
    print(f"No guard alarm fired for {alarms.BAKE_S} s.")


def roll_back(options: argparse.Namespace) -> None:
    target = fleet(options)
    if options.template:
        if not isinstance(target, Machines):
            raise DeploymentFailed("--template is of ec2; on ecs roll back by digest: --to REPOSITORY@sha256:…")
        return target.use_template(options.template, polling(options))
    current, unfinished = target.current(), target.good.next()
    # A rollout in place that ended half way has not changed what is current: that is where it came from.
    release = options.to or (current if unfinished not in ("", current) else target.previous())
    if not options.any_tables:
        Schema(target.good).must_fit(release)
    print(f"Rolling back from {unfinished or current} to {release}", flush=True)
    for left in {current, unfinished} - {"", release}:
        target.good.remove(left)
    if isinstance(target, Machines) and not options.replace:
        switch.roll_back(target, release, polling(options))
    else:
        target.roll_out(release, polling(options))
        target.good.set_next("")
    print(f"{release} serves again. Migrations stay: each release works with the tables of the next one.")
    return None


def parser() -> argparse.ArgumentParser:
    main_parser = argparse.ArgumentParser(prog="deploy.pipeline", description=__doc__)
    main_parser.set_defaults(act=None)
    steps = main_parser.add_subparsers(required=True, metavar="STEP")
    for add in (add_release_steps, add_rollout_steps, add_observing_steps, add_sbom_step, add_roll_back_step):
        for step in add(steps):
            step.add_argument("--name", default="tms", help="prefix of every name in AWS (tms)")
            step.add_argument("--every", type=float, default=10, help="seconds between polls (10)")
            step.add_argument("--longest", type=float, default=1800, help="seconds until it gives up (1800)")
    return main_parser


def add_release_steps(steps: Steps) -> Iterator[argparse.ArgumentParser]:
    current = steps.add_parser("current", help="print the current release or image")
    current.set_defaults(act=print_current)
    add_compute(current)
    publish = steps.add_parser("publish", help="upload a release with its checksum")
    publish.add_argument("artefact", type=Path, help="dist/tms-VERSION.tar.gz")
    publish.set_defaults(act=publish_release, compute="ec2")
    image = steps.add_parser("renew-image", help="ec2: pin the newest image of machines, and replace the machines")
    image.set_defaults(act=renew_image)
    yield from (current, publish, image)


def add_rollout_steps(steps: Steps) -> Iterator[argparse.ArgumentParser]:
    migration = steps.add_parser("migrate", help="run the migrations before the rollout")
    migration.set_defaults(act=migrate)
    out = steps.add_parser("roll-out", help="roll it out, and wait until it is stable")
    in_place = "ec2: install it on the running machines and switch one by one, instead of replacing the machines"
    out.add_argument("--in-place", action="store_true", dest="switch", help=in_place)
    out.set_defaults(act=roll_out)
    good = steps.add_parser("mark-good", help="record that its checklist passed: a rollback may return to it")
    good.set_defaults(act=mark_good)
    for step in (migration, out, good):
        add_compute(step)
        step.add_argument("what", help="a release (ec2), or an image by digest (ecs)")
        yield step


def add_observing_steps(steps: Steps) -> Iterator[argparse.ArgumentParser]:
    baking = steps.add_parser("watch", help=f"watch the alarms that guard a rollout for {alarms.BAKE_S} s")
    baking.add_argument("--before", default="", metavar="NAME,…", help="alarms that fired before, as `alarms` prints")
    baking.set_defaults(act=watch)
    firing = steps.add_parser("alarms", help="print the alarms that are firing, in one line")
    firing.set_defaults(act=print_alarms)
    connected = steps.add_parser("terminals", help="print how many terminals are connected, or unknown")
    connected.set_defaults(act=print_terminals)
    yield from (baking, firing, connected)


def add_sbom_step(steps: Steps) -> Iterator[argparse.ArgumentParser]:
    bill = steps.add_parser("sbom", help="write the bill of materials, as CycloneDX")
    bill.add_argument("version")
    bill.add_argument("file", type=Path)
    bill.add_argument("--publish", action="store_true", help="also put it into the bucket of the releases")
    bill.set_defaults(act=write_sbom)
    yield bill


def add_roll_back_step(steps: Steps) -> Iterator[argparse.ArgumentParser]:
    back = steps.add_parser("roll-back", prog="rollback.sh", help="return to the previous release")
    back.set_defaults(act=roll_back)
    add_compute(back)
    to = "a release (ec2), or an image by digest (ecs); default: the previous good one"
    back.add_argument("--to", default="", help=to)
    back.add_argument("--replace", action="store_true", help="ec2: replace the machines instead of switching them")
    too_old = "also to a release that is too old for the tables of the database"
    back.add_argument("--any-tables", action="store_true", help=too_old)
    back.add_argument("--template", default="", metavar="N", help="ec2: this version of the launch template instead")
    yield back


def add_compute(step: argparse.ArgumentParser) -> None:
    step.add_argument("compute", choices=("ec2", "ecs"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
