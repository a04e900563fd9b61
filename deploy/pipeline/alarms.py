"""Which alarms ring before a deployment: only those that begin to ring because of it count against it."""

from collections.abc import Collection, Sequence

from deploy.aws import client, code_of
from deploy.check.alarms import NOT_ALLOWED

NONE, UNKNOWN = "none", "unknown"
GUARDS = ("server-errors", "no-healthy-host")
"""What a rollout of machines must not set off: then the refresh stops by itself."""


def ringing(name: str) -> Sequence[str]:
    """The names of the alarms of `name` that ring, in order."""
    pages = (
        client("cloudwatch")
        .get_paginator("describe_alarms")
        .paginate(AlarmNamePrefix=f"{name}-", StateValue="ALARM", AlarmTypes=["MetricAlarm", "CompositeAlarm"])
    )
    found = [alarm for page in pages for kind in ("MetricAlarms", "CompositeAlarms") for alarm in page.get(kind, [])]
    return sorted(alarm["AlarmName"] for alarm in found if alarm["StateValue"] == "ALARM")


def on_one_line(name: str) -> str:
    """For `check.sh after --alarms-before`: names with commas between, `none`, or `unknown` when AWS refuses."""
    try:
        return ",".join(ringing(name)) or NONE
    except client("cloudwatch").exceptions.ClientError as error:
        if code_of(error) in NOT_ALLOWED:
            return UNKNOWN
        raise


def guards(name: str, before: Collection[str]) -> Sequence[str]:
    """Full names of the guards that may stop a rollout: an alarm that rings already must not hold up its own cure."""
    return [f"{name}-{guard}" for guard in GUARDS if f"{name}-{guard}" not in before]
