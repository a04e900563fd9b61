"""Commands on machines through Systems Manager: the documents that Terraform creates, one for each action."""

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from deploy.aws import Resource, client
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.polling import Polling

TIMEOUTS_S: Mapping[str, int] = {"install": 1800, "migrate": 3600, "switch": 1800, "rollback": 900}
"""Each action, which is the document `NAME-ACTION`, and after how many seconds its document stops it on a machine."""
DELIVERY_S = 120
"""A machine whose agent does not answer by then does not get the command any more."""
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,99}")
"""The version as build-release prints it. It becomes part of a command line on a machine; the documents check it,
too.
"""
UNDER_WAY = {"Pending", "InProgress", "Delayed", "Cancelling"}


class CommandFailed(DeploymentFailed):
    def __init__(self, reason: str, machines: Set[str]) -> None:
        super().__init__(reason)
        self.machines = machines
        """The machines on which it failed."""


def run(name: str, action: str, release: str, machines: Sequence[str], polling: Polling) -> None:
    """Run `action` with `release` on all `machines` at once, until it has ended on each. Raises DeploymentFailed."""
    must_be_version(release)
    ssm = client("ssm")
    sent = ssm.send_command(
        InstanceIds=list(machines),
        DocumentName=f"{name}-{action}",
        Comment=f"{action} {release}",
        Parameters={"release": [release]},
        TimeoutSeconds=DELIVERY_S,
        MaxConcurrency="100%",
        MaxErrors="100%",  # one that fails keeps none of the others from being rolled back
    )["Command"]["CommandId"]
    what = f"{action} {release} on {', '.join(machines)}"

    def check() -> tuple[bool, str]:
        seen = {machine: _invocation(ssm, sent, machine) for machine in machines}
        statuses = {machine: str(one["Status"]) for machine, one in seen.items()}
        ended = not UNDER_WAY.intersection(statuses.values())
        failed = {machine: one for machine, one in seen.items() if statuses[machine] != "Success"}
        if ended and failed:
            reasons = "; ".join(f"{machine}: {one['Status']}: {last_lines(one)}" for machine, one in failed.items())
            raise CommandFailed(f"{action} {release}: {reasons}", set(failed))
        return ended, ", ".join(sorted(set(statuses.values())))

    # Longer than the document: what ends it is one number, and it is the machine that reports it.
    polling.within(TIMEOUTS_S[action] + DELIVERY_S).until(check, what=what)


def _invocation(ssm: Any, command: str, machine: str) -> Resource:
    try:
        found: Resource = ssm.get_command_invocation(CommandId=command, InstanceId=machine)
        return found
    except ssm.exceptions.InvocationDoesNotExist:  # for a moment after it was sent
        return {"Status": "Pending"}


def must_be_version(release: str) -> None:
    if not VERSION.fullmatch(release):
        raise DeploymentFailed(
            f"{release} is not a version; expected is the output of deploy/pipeline/build, such as 1.4.2"
        )


def last_lines(seen: Resource) -> str:
    """The last lines of a command's stderr, else of its stdout; Run Command keeps 24,000 characters of each."""
    output = seen.get("StandardErrorContent") or seen.get("StandardOutputContent") or seen.get("StatusDetails", "")
    return " / ".join(output.strip().splitlines()[-5:])
