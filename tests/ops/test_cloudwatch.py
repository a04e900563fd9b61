"""Metrics of a running TMS, read back from CloudWatch."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from deploy.processes import HOST
from tests.support.link.terminal import Terminal
from tests.support.polling import wait_for_value
from tests.support.servers.aws import Moto
from tests.support.servers.tms import RunningTMS
from tms.ops.cloudwatch.table import TABLE

GROUP = "tms-application"
UNITS = {row.name: row.unit.value for row in TABLE}


@pytest.fixture(scope="module")
def tms(moto: Moto, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningTMS]:
    moto.reset()
    moto.client("logs").create_log_group(logGroupName=GROUP)
    env = dict(moto.env) | {"TMS_CLOUDWATCH_NAMESPACE": "TMS", "TMS_CLOUDWATCH_INTERVAL_S": "1"}
    env |= {"TMS_CLOUDWATCH_LOG_GROUP": GROUP, "TMS_NODE": "tms-1"}
    with RunningTMS(tmp_path_factory.mktemp("tms"), TMS_HEARTBEAT_S="30", TMS_MAX_CONNECTIONS="500", **env) as tms:
        yield tms


def names(moto: Moto) -> set[str]:
    return {metric["MetricName"] for metric in moto.client("cloudwatch").list_metrics(Namespace="TMS")["Metrics"]}


def read_back(moto: Moto, name: str, statistic: str) -> list[dict[str, Any]]:
    now = datetime.now(UTC)
    answer = moto.client("cloudwatch").get_metric_statistics(
        Namespace="TMS",
        MetricName=name,
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=3600 * 2,
        Statistics=[statistic],
    )
    return answer["Datapoints"]


async def test_every_row_of_the_table_arrives_with_its_name_unit_and_value(tms, moto):
    link = await Terminal.connect(tms.link, tms.enrol("SHJ-PAY-01"))
    await link.boot()
    for seq in range(1, 4):
        await link.report(seq)
    await link.acknowledged(3)

    wait_for_value(lambda: names(moto), UNITS.keys())
    wait_for_value(lambda: maximum(moto, "ActiveTerminals"), 1.0)
    await link.socket.close()

    assert {name: read_back(moto, name, "Maximum")[0]["Unit"] for name in UNITS} == UNITS
    assert maximum(moto, "TotalTerminals") == 1
    assert maximum(moto, "NodesRunning") == 1
    assert maximum(moto, "Links") == 1
    assert 0 < maximum(moto, "ConnectionsUsed") <= 100
    assert total(moto, "AckSeconds", "SampleCount") >= 1
    assert 0 < maximum(moto, "AckSeconds") <= 20
    assert total(moto, "FalseOffline", "Sum") == 0
    assert total(moto, "BridgeFailures", "Sum") == 0


def test_no_metric_has_dimensions_because_each_would_cost_extra(tms, moto):
    wait_for_value(lambda: "BridgeLag" in names(moto), True)

    metrics = moto.client("cloudwatch").list_metrics(Namespace="TMS")["Metrics"]

    assert [metric["Dimensions"] for metric in metrics] == [[]] * len(metrics)


def test_prometheus_gets_metrics_about_the_bridge(tms, moto):
    wait_for_value(lambda: "tms_bridge_sent_total 0.0" not in tms.get("/metrics")[1], True)

    assert "tms_bridge_failures_total 0.0" in tms.get("/metrics")[1]


def test_an_exiting_process_sends_its_last_log_events_to_the_log_group(tms, moto):
    status = tms.stop()

    events = moto.client("logs").get_log_events(logGroupName=GROUP, logStreamName="tms-1")["events"]
    message = [json.loads(event["message"])["event"] for event in events]
    assert status == 0
    assert message[0] == "serving"
    assert "drained" in message[-1]


def test_a_tms_that_cannot_reach_cloudwatch_keeps_running_and_exits_in_time(aws, tmp_path):
    env = dict(aws.env) | {"AWS_ENDPOINT_URL": f"http://{HOST}:1", "TMS_CLOUDWATCH_NAMESPACE": "TMS"}
    env |= {"TMS_CLOUDWATCH_INTERVAL_S": "1", "TMS_CLOUDWATCH_LOG_GROUP": GROUP}

    with RunningTMS(tmp_path, **env) as tms:
        wait_for_value(lambda: "tms_bridge_failures_total 0.0" not in tms.get("/metrics")[1], True)
        health = tms.get("/health/")[0]
        status = tms.stop()

    assert (health, status) == (200, 0)
    assert "cloudwatch_away" in tms.log.read_text()
    assert "Traceback" not in tms.log.read_text()


def maximum(moto: Moto, name: str) -> float:
    return total(moto, name, "Maximum")


def total(moto: Moto, name: str, statistic: str) -> float:
    return max((point[statistic] for point in read_back(moto, name, statistic)), default=-1.0)
