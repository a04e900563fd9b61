"""Alarms, from a terminal that becomes silent, and from a TMS without metrics, to the notification.

The alarms are those of deploy/terraform/alarms.tf, with seconds instead of minutes.
"""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.link.terminal import Terminal
from tests.support.polling import wait_for_value
from tests.support.servers.aws import Ministack
from tests.support.servers.tms import RunningTMS

TERMINALS, TOO_MANY = 3, 2
PERIOD_S = 3
SAYS = "More than so many terminals are silent at once. What to do: docs/runbook.md#silent-terminals"


class Pager:
    """The recipient: alarms go to a topic, and the topic to this queue."""

    def __init__(self, aws: Ministack) -> None:
        self.cloudwatch, self._sqs = aws.client("cloudwatch"), aws.client("sqs")
        sns = aws.client("sns")
        self.topic = sns.create_topic(Name="tms-alerts")["TopicArn"]
        self._queue = self._sqs.create_queue(QueueName="on-call")["QueueUrl"]
        asked = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=asked["Attributes"]["QueueArn"])
        self.messages: list[dict[str, Any]] = []

    def alarm(self, name: str, **options: Any) -> None:
        actions = {"AlarmActions": [self.topic], "OKActions": [self.topic], "ActionsEnabled": True}
        metric = {"Namespace": "TMS", "Period": PERIOD_S, "EvaluationPeriods": 1}
        self.cloudwatch.put_metric_alarm(AlarmName=f"tms-{name}", **actions, **metric, **options)

    def received(self, name: str, state: str) -> bool:
        for message in self._sqs.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10).get("Messages", []):
            self.messages.append(json.loads(json.loads(message["Body"])["Message"]))
        return any((text["AlarmName"], text["NewStateValue"]) == (f"tms-{name}", state) for text in self.messages)


@pytest.fixture(scope="module")
def aws() -> Iterator[Ministack]:
    with Ministack() as aws:
        yield aws


@pytest.fixture(scope="module")
def pager(aws: Ministack) -> Pager:
    return Pager(aws)


@pytest.fixture
def tms(aws: Ministack, tmp_path) -> Iterator[RunningTMS]:
    env = dict(aws.env) | {"TMS_CLOUDWATCH_NAMESPACE": "TMS", "TMS_CLOUDWATCH_INTERVAL_S": "1"}
    with RunningTMS(tmp_path, TMS_OFFLINE_AFTER_S="600", TMS_RECONNECT_GRACE_S="600", **env) as tms:
        yield tms


async def test_silent_terminals_and_a_tms_without_metrics_notify_the_person_on_call(tms, aws, pager):
    pager.alarm(
        "silent-terminals",
        MetricName="SilentTerminals",
        Statistic="Maximum",
        Threshold=TOO_MANY,
        ComparisonOperator="GreaterThanThreshold",
        AlarmDescription=SAYS,
    )
    links = [await Terminal.connect(tms.link, credential) for credential in tms.enrol_many(TERMINALS)]
    for link in links:
        await link.boot()

    for link in links:
        link.socket.transport.abort()
    await asyncio.to_thread(wait_for_value, lambda: pager.received("silent-terminals", "ALARM"), True)

    [text] = [text for text in pager.messages if text["NewStateValue"] == "ALARM"]
    assert text["AlarmDescription"] == SAYS
    assert text["Trigger"]["MetricName"] == "SilentTerminals"

    # Missing data is breaching in CloudWatch; this emulator only evaluates existing data, so one may be left.
    pager.alarm(
        "bridge-silent",
        MetricName="ActiveTerminals",
        Statistic="SampleCount",
        Threshold=2,
        ComparisonOperator="LessThanThreshold",
    )
    await asyncio.to_thread(wait_for_value, lambda: pager.received("bridge-silent", "OK"), True)

    tms.kill()
    await asyncio.to_thread(wait_for_value, lambda: evaluate(aws) and pager.received("bridge-silent", "ALARM"), True)


def evaluate(aws: Ministack) -> bool:
    """It evaluates alarms when any data arrives."""
    aws.client("cloudwatch").put_metric_data(Namespace="Other", MetricData=[{"MetricName": "Time", "Value": 1}])
    return True
