"""Releases on machines that keep running: installed on all at once, switched one by one, rolled back all at once."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from deploy.aws import client
from deploy.pipeline import alarms, run_command
from deploy.pipeline.ec2 import Machines
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.polling import Polling

PLANNED_S: Mapping[str, int] = {
    "checkout and `make setup`": 90,
    "checklist before": 30,
    "build and publish": 90,
    "files for browsers": 30,
    "migrate, which installs on one machine": 60,
    "install on the others": 45,
    "checklist after": 30,
}
"""The steps of a deployment besides the switches, in seconds; `docs/deploying.md` lists them."""
SWITCH_S = 90
"""One machine with two nodes: each drains for 20 s and starts, and its terminals return; then the clock."""


def planned_s(machines: int) -> int:
    """The time from the merge until `machines` machines serve the release."""
    return sum(PLANNED_S.values()) + machines * SWITCH_S


def roll_out(machines: Machines, release: str, polling: Polling, on_begin: Callable[[], None] = lambda: None) -> None:
    """Install `release` on all machines at once, switch one after the other, then make it current.

    `on_begin` is called before the first machine is switched: before, there is nothing to roll back.
    Raises DeploymentFailed.
    """
    machines.must_be_published(release)
    serving = machines.serving()
    if not serving:
        raise DeploymentFailed(f"{machines.group} has no machine in service: roll out without --in-place")
    firing = alarms.firing(machines.name)
    print(f"{len(serving)} machines: planned are {len(serving) * SWITCH_S} s for switching", flush=True)
    _command(machines, "install", release, serving, polling)
    on_begin()
    machines.good.set_next(release)
    switched: list[str] = []
    # Asked again each time: the group may have started or ended a machine meanwhile.
    while waiting := [each for each in machines.serving() if each not in switched]:
        _switch(machines, release, waiting[0], firing, polling)
        switched.append(waiting[0])
    # Last: until here a new machine starts with the release that is known to work.
    starting = machines.starting()
    machines.set_current(release)
    for late in _in_service(machines, starting, polling):
        _switch(machines, release, late, firing, polling)
    machines.good.set_next("")


def roll_back(machines: Machines, release: str, polling: Polling) -> None:
    """Return all machines to `release` at once, half of the nodes of each at a time. Raises DeploymentFailed."""
    machines.must_be_published(release)
    starting = machines.starting()
    machines.set_current(release)  # first: a machine that starts from now on needs no rollback
    _return(machines, release, machines.serving(), polling)
    _return(machines, release, _in_service(machines, starting, polling), polling)
    machines.good.set_next("")


def _switch(machines: Machines, release: str, machine: str, firing: Collection[str], polling: Polling) -> None:
    _command(machines, "install", release, [machine], polling)
    _command(machines, "switch", release, [machine], polling)
    polling.until(partial(_is_healthy, machines, machine), what=f"{machine} behind the load balancer")
    alarms.must_be_quiet(machines.name, firing)


def _return(machines: Machines, release: str, those: Sequence[str], polling: Polling) -> None:
    _command(machines, "install", release, those, polling)
    _command(machines, "rollback", release, those, polling)


def _command(machines: Machines, action: str, release: str, those: Sequence[str], polling: Polling) -> None:
    """A failure does not count if the group has ended that machine meanwhile."""
    if not (present := [each for each in those if each in machines.serving()]):
        return
    try:
        run_command.run(machines.name, action, release, present, polling)
    except run_command.CommandFailed as failed:
        if failed.machines & set(machines.serving()):
            raise


def _is_healthy(machines: Machines, machine: str) -> tuple[bool, str]:
    balancer = client("elbv2")
    states: set[str] = {
        one["TargetHealth"]["State"]
        for group in machines.target_groups()
        for one in balancer.describe_target_health(TargetGroupArn=group, Targets=[{"Id": machine}])[
            "TargetHealthDescriptions"
        ]
    }
    return states <= {"healthy", "draining"}, ", ".join(sorted(states)) or "in no target group"


def _in_service(machines: Machines, starting: Sequence[str], polling: Polling) -> Sequence[str]:
    """The machines of `starting` that came into service; the others ended."""

    def check() -> tuple[bool, str]:
        left = set(starting) & set(machines.starting())
        return not left, ", ".join(sorted(left)) or "none is starting"

    if starting:
        polling.until(check, what="machines that started meanwhile")
    return [each for each in machines.serving() if each in starting]
