"""Checks of what the load balancer measures: healthy hosts, errors, response times without the network."""

from datetime import UTC, datetime, timedelta

from deploy.aws import Resource, client
from deploy.check.aws.cloud import balancer, reads_aws
from deploy.check.result import Failed, Skipped, Text
from deploy.check.target import CheckTarget

NAMESPACE = "AWS/ApplicationELB"
ERRORS_SINCE, LATENCY_SINCE = timedelta(minutes=5), timedelta(minutes=15)
MOST_ERRORS = 20
"""Errors per minute, as in the alarm `server-errors`: a rollout itself cuts a few requests."""
LEAST_HOSTS = 2


@reads_aws
def hosts(target: CheckTarget) -> Text:
    elb = client("elbv2")
    groups = elb.describe_target_groups(LoadBalancerArn=balancer(target))["TargetGroups"]
    listed = [
        host
        for group in groups
        for host in elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        if host["TargetHealth"]["State"] != "draining"
    ]
    bad = [f"{each['Target']['Id']} is {each['TargetHealth']['State']}" for each in listed if not is_healthy(each)]
    if bad or len(listed) < LEAST_HOSTS:
        reason = ", ".join(bad) or f"{len(listed)} registered"
        raise Failed(reason, reason)
    return Text(f"{len(listed)} are healthy", f"{len(listed)} 台すべて healthy")


def is_healthy(host: Resource) -> bool:
    return bool(host["TargetHealth"]["State"] == "healthy")


@reads_aws
def errors(target: CheckTarget) -> Text:
    """5xx of TMS, and of the load balancer if it reaches no host. A minute without a data point had none."""
    minutes: dict[datetime, float] = {}
    for metric in ("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"):
        for point in points(target, metric, ERRORS_SINCE, Statistics=["Sum"]):
            minutes[point["Timestamp"]] = minutes.get(point["Timestamp"], 0) + point["Sum"]
    worst = max(minutes.values(), default=0)
    if worst > MOST_ERRORS:
        raise Failed(f"{worst:.0f} responses with 5xx in one minute", f"1 分間に 5xx が {worst:.0f} 件")
    return Text(f"at most {worst:.0f} responses with 5xx per minute", f"5xx は 1 分あたり最大 {worst:.0f} 件")


@reads_aws
def latency(target: CheckTarget) -> Text:
    found = points(target, "TargetResponseTime", LATENCY_SINCE, ExtendedStatistics=["p95"])
    if not found:
        raise Skipped("no request in 15 minutes", "15 分間リクエストなし")
    newest = max(found, key=lambda point: point["Timestamp"])
    p95_ms = newest["ExtendedStatistics"]["p95"] * 1000
    if p95_ms > target.slow_ms:
        raise Failed(f"p95 is {p95_ms:.0f} ms, above {target.slow_ms:.0f} ms", f"p95 が {p95_ms:.0f} ms")
    return Text(f"p95 is {p95_ms:.0f} ms", f"p95 は {p95_ms:.0f} ms")


def points(target: CheckTarget, metric: str, since: timedelta, **statistics: object) -> list[Resource]:
    """Data points, one per minute; for the latency one for the whole period."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    period = 60 if "Statistics" in statistics else int(since.total_seconds())
    found: list[Resource] = client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": "LoadBalancer", "Value": balancer(target).partition(":loadbalancer/")[2]}],
        StartTime=now - since,
        EndTime=now + timedelta(minutes=1),
        Period=period,
        **statistics,
    )["Datapoints"]
    return found
