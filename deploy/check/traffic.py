"""What the load balancer sees of TMS: who is healthy, what fails, how long it takes, without the way to the client."""

from datetime import UTC, datetime, timedelta
from typing import Any

from deploy.aws import client
from deploy.check.cloud import balancer, in_aws
from deploy.check.result import Text, Unseen, Wrong
from deploy.check.target import Place

NAMESPACE = "AWS/ApplicationELB"
ERRORS_SINCE, LATENCY_SINCE = timedelta(minutes=5), timedelta(minutes=15)
MOST_ERRORS = 20
"""A minute, as the alarm `server-errors` counts: a rollout itself cuts a few requests."""
LEAST_HOSTS = 2


@in_aws
def hosts(place: Place) -> Text:
    elb = client("elbv2")
    groups = elb.describe_target_groups(LoadBalancerArn=balancer(place))["TargetGroups"]
    targets = [
        target
        for group in groups
        for target in elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])["TargetHealthDescriptions"]
        if target["TargetHealth"]["State"] != "draining"
    ]
    bad = [f"{each['Target']['Id']} is {each['TargetHealth']['State']}" for each in targets if not is_healthy(each)]
    if bad or len(targets) < LEAST_HOSTS:
        told = ", ".join(bad) or f"{len(targets)} registered"
        raise Wrong(told, told)
    return Text(f"{len(targets)} are healthy", f"{len(targets)} 台すべて healthy")


def is_healthy(target: Any) -> bool:
    return bool(target["TargetHealth"]["State"] == "healthy")


@in_aws
def errors(place: Place) -> Text:
    """Of TMS, and of the load balancer when it reaches nobody. A minute without a point had none."""
    minutes: dict[datetime, float] = {}
    for metric in ("HTTPCode_Target_5XX_Count", "HTTPCode_ELB_5XX_Count"):
        for point in points(place, metric, ERRORS_SINCE, Statistics=["Sum"]):
            minutes[point["Timestamp"]] = minutes.get(point["Timestamp"], 0) + point["Sum"]
    worst = max(minutes.values(), default=0)
    if worst > MOST_ERRORS:
        raise Wrong(f"{worst:.0f} answers of 5xx in one minute", f"1 分間に 5xx が {worst:.0f} 件")
    return Text(f"at most {worst:.0f} answers of 5xx a minute", f"5xx は 1 分あたり最大 {worst:.0f} 件")


@in_aws
def latency(place: Place) -> Text:
    found = points(place, "TargetResponseTime", LATENCY_SINCE, ExtendedStatistics=["p95"])
    if not found:
        raise Unseen("no request in 15 minutes", "15 分間リクエストなし")
    newest = max(found, key=lambda point: point["Timestamp"])
    p95_ms = newest["ExtendedStatistics"]["p95"] * 1000
    if p95_ms > place.slow_ms:
        raise Wrong(f"p95 is {p95_ms:.0f} ms, above {place.slow_ms:.0f} ms", f"p95 が {p95_ms:.0f} ms")
    return Text(f"p95 is {p95_ms:.0f} ms", f"p95 は {p95_ms:.0f} ms")


def points(place: Place, metric: str, since: timedelta, **statistics: Any) -> list[Any]:
    """One a minute; for the latency one of all."""
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    period = 60 if "Statistics" in statistics else int(since.total_seconds())
    found: list[Any] = client("cloudwatch").get_metric_statistics(
        Namespace=NAMESPACE,
        MetricName=metric,
        Dimensions=[{"Name": "LoadBalancer", "Value": balancer(place).partition(":loadbalancer/")[2]}],
        StartTime=now - since,
        EndTime=now + timedelta(minutes=1),
        Period=period,
        **statistics,
    )["Datapoints"]
    return found
