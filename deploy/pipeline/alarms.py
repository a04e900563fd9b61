"""Alarms that fire before a deployment, and so are not caused by it."""

from collections.abc import Collection, Sequence

from deploy.aws import client, code_of
from deploy.check.aws.alarms import NOT_ALLOWED

NONE, UNKNOWN = "none", "unknown"
GUARDS = ("server-errors", "no-healthy-host")
"""Alarms that stop a rollout of machines if they fire."""


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
    """For `check.sh after --alarms-before`: names with commas between, `none`, or `unknown` without the permission."""
    try:
        return ",".join(firing(name)) or NONE
    except client("cloudwatch").exceptions.ClientError as error:
        if code_of(error) in NOT_ALLOWED:
            return UNKNOWN
        raise


def guards(name: str, before: Collection[str]) -> Sequence[str]:
    """Alarms that may stop a rollout: without those already firing, or their fix could not be rolled out."""
    return [f"{name}-{guard}" for guard in GUARDS if f"{name}-{guard}" not in before]
