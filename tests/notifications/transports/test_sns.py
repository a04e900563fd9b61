"""Amazon SNS, as emulated by moto: published messages arrive in a queue."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.notifications.alerts import open_alert
from tests.support.servers.aws import REGION, Moto
from tms.notifications.destinations.test_send import send_test
from tms.notifications.models.destination import Destination
from tms.notifications.transports.result import SendOutcome

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def moto() -> Iterator[Moto]:
    with Moto() as moto:
        yield moto


@pytest.fixture
def aws(moto: Moto, monkeypatch: pytest.MonkeyPatch) -> Moto:
    """An empty account, which this process uses as AWS."""
    moto.use(monkeypatch)
    return moto


class Topic:
    """A topic, and a queue that receives its messages."""

    def __init__(self, aws: Moto) -> None:
        self._queues = aws.client("sqs")
        self.arn = aws.client("sns").create_topic(Name="tms")["TopicArn"]
        self._queue = self._queues.create_queue(QueueName="night")["QueueUrl"]
        arn = self._queues.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])
        aws.client("sns").subscribe(
            TopicArn=self.arn, Protocol="sqs", Endpoint=arn["Attributes"]["QueueArn"], ReturnSubscriptionArn=True
        )

    def passed_on(self) -> list[Any]:
        got = self._queues.receive_message(QueueUrl=self._queue, MaxNumberOfMessages=10)
        return [json.loads(message["Body"]) for message in got.get("Messages", ())]


def of_topic(arn: str, **fields: Any) -> Destination:
    destination = Destination(kind="sns", name="Topic", **fields)
    destination.set_address(arn)
    destination.save()
    return destination


@pytest.fixture
def topic(aws: Moto) -> Topic:
    return Topic(aws)


def test_a_message_is_readable_for_people_and_machines(fleet, delivery_clock, policy, topic):
    policy((0, [of_topic(topic.arn)]), name="Night")
    open_alert(fleet, name="CPU too hot")

    delivery_clock.advance(5)

    [got] = topic.passed_on()
    marks = {name: mark["Value"] for name, mark in got["MessageAttributes"].items()}
    assert got["Subject"].startswith("Critical: Site SJK: CPU too hot")
    assert "CPU too hot" in got["Message"]
    assert (marks["kind"], marks["severity"]) == ("opened", "critical")
    assert "possible_duplicate" not in marks


def test_a_subject_that_is_not_ascii_is_only_in_the_message(fleet, delivery_clock, policy, topic):
    policy((0, [of_topic(topic.arn, language="ja")]))
    open_alert(fleet, name="CPU too hot", name_ja="高温")

    delivery_clock.advance(5)

    [got] = topic.passed_on()
    assert got["Subject"].isascii()
    assert "高温" in got["Message"]


def test_a_missing_topic_is_retried(aws):
    answer = send_test(of_topic(f"arn:aws:sns:{REGION}:123456789012:nothing"))

    assert answer.outcome is SendOutcome.RETRY
    assert "NotFound" in answer.detail
