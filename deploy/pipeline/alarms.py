"""Alarms that fire before a deployment, and so are not caused by it."""

import time
from collections.abc import Collection, Sequence

from deploy.aws import client, code_of
from deploy.check.aws.alarms import NOT_ALLOWED
from deploy.pipeline.failure import DeploymentFailed
from deploy.pipeline.polling import Polling

NONE, UNKNOWN = "none", "unknown"
GUARDS = ("no-healthy-host", "server-errors", "reports-waiting", "silent-terminals")
"""Alarms that stop a rollout if they fire, and that must stay quiet for a while after it."""
BAKE_S = 600
"""How long a release is watched before it counts as good: an alarm needs minutes, and a leak, too."""


def firing(name: str) -> Sequence[str]:
    """The names of the alarms of `name` that are firing, sorted."""
    pages = (
        client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{name}-", StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    )
    found = [alarm for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for alarm in page.get(kind, [])]
    return sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM")


def firing_on_one_line(name: str) -> str:
    """The alarms for `check.sh after --alarms-before`: names with commas between, `none`, or `unknown` without the
    permission.
    """
    try:
        return ",".join(firing(name)) or NONE
    except client("cloudwatch").exceptions.ClientError as error:
        if code_of(error) in NOT_ALLOWED:
            return UNKNOWN
        raise


def must_be_quiet(name: str, before: Collection[str]) -> None:
    """Raise DeploymentFailed if a guard fires that was not firing before the rollout."""
    if ringing := sorted(set(guards(name, before)).intersection(firing(name))):
        raise DeploymentFailed(f"{', '.join(ringing)} fires since the rollout began")


def bake(name: str, before: Collection[str], polling: Polling) -> None:
    """Watch the guards for BAKE_S seconds. Raises DeploymentFailed as soon as one fires."""
    ends_at = time.monotonic() + BAKE_S

    def check() -> tuple[bool, str]:
        must_be_quiet(name, before)
        return time.monotonic() >= ends_at, "quiet"

    polling.within(2 * BAKE_S).until(check, what=f"the alarms for {BAKE_S} s")


def guards(name: str, before: Collection[str]) -> Sequence[str]:
    """Alarms that may stop a rollout: without those already firing, or their fix could not be rolled out."""
    return [f"{name}-{guard}" for guard in GUARDS if f"{name}-{guard}" not in before]
