"""Checks of the fleet after a deployment: terminals are back, and their reports are acknowledged."""

from datetime import UTC, datetime, timedelta

from deploy.aws import Resource, client
from deploy.check.aws.cloud import RECENT, reads_aws
from deploy.check.result import Failed, Text
from deploy.check.target import CheckTarget

LEAST_SHARE = 0.95
"""The share of the terminals that were connected before: shops close during a deployment, too."""
ACKNOWLEDGED_SINCE = timedelta(minutes=5)


@reads_aws
def connected(target: CheckTarget) -> Text:
    now = active_terminals()
    if now is None:
        raise Failed("no data for TMS/ActiveTerminals for 15 minutes", "TMS/ActiveTerminals に 15 分間データがない")
    if target.terminals_before is None:
        return Text(f"{now:g}; unknown how many before", f"{now:g} 台 (デプロイ前は不明)")
    if now < LEAST_SHARE * target.terminals_before:
        raise Failed(
            f"only {now:g} of {target.terminals_before:g}",
            f"{target.terminals_before:g} 台中 {now:g} 台しか接続していない",
        )
    return Text(
        f"{now:g}, before {target.terminals_before:g}", f"{now:g} 台 (デプロイ前 {target.terminals_before:g} 台)"
    )


@reads_aws
def acknowledged(target: CheckTarget) -> Text:
    if not active_terminals():
        return Text("no terminal is connected", "接続中の端末なし")
    reports = sum(point["SampleCount"] for point in _points("AckSeconds", "SampleCount", ACKNOWLEDGED_SINCE))
    if not reports:
        raise Failed("no report was acknowledged for 5 minutes", "5 分間、受領応答されたレポートがない")
    return Text("reports are acknowledged", "レポートに受領応答している")


def active_terminals() -> float | None:
    """The newest value of the metric; None without one."""
    found = _points("ActiveTerminals", "Maximum", RECENT)
    return float(max(found, key=lambda point: point["Timestamp"])["Maximum"]) if found else None


def _points(metric: str, statistic: str, since: timedelta) -> list[Resource]:
    now = datetime.now(UTC)
    points: list[Resource] = client("cloudwatch").get_metric_statistics(
        Namespace="TMS",
        MetricName=metric,
        StartTime=now - since,
        EndTime=now + timedelta(minutes=1),
        Period=60,
        Statistics=[statistic],
    )["Datapoints"]
    return points
