"""Log events in CloudWatch Logs; an unavailable CloudWatch affects nothing else."""

import json
import logging
import logging.config
import socket
from collections.abc import Iterator

import pytest
import structlog

from deploy.processes import HOST
from tests.support.servers.aws import Moto
from tms.config.logs import logging_config
from tms.metrics import instruments
from tms.ops.cloudwatch import logs
from tms.ops.cloudwatch.logs import CloudWatchLogs, count_refused

GROUP, NODE = "tms-application", "tms-1"


@pytest.fixture
def handler(aws: Moto) -> Iterator[CloudWatchLogs]:
    aws.client("logs").create_log_group(logGroupName=GROUP)
    yield from made()


def made() -> Iterator[CloudWatchLogs]:
    """The handler as configured, on a separate logger."""
    before = structlog.get_config()
    config = logging_config(level="INFO", form="plain", cloudwatch_group=GROUP, node=NODE)
    config["root"], config["loggers"] = {}, {"tests.cloudwatch": {"handlers": ["cloudwatch"], "propagate": False}}
    logging.config.dictConfig(config)
    [handler] = logging.getLogger("tests.cloudwatch").handlers
    assert isinstance(handler, CloudWatchLogs)
    yield handler
    handler.close()
    logging.getLogger("tests.cloudwatch").removeHandler(handler)
    structlog.configure(**before)


def lost() -> float:
    return instruments.LOG_EVENTS_LOST._value.get()


def read_back(aws: Moto) -> list[dict[str, object]]:
    answer = aws.client("logs").get_log_events(logGroupName=GROUP, logStreamName=NODE, startFromHead=True)
    return [json.loads(event["message"]) for event in answer["events"]]


def test_log_events_are_in_the_stream_of_their_process_as_json(handler, aws):
    structlog.get_logger("tests.cloudwatch").warning("node_lost", node="tms-2", orphaned=3)
    logging.getLogger("tests.cloudwatch").error("a library says\n%s", "two lines")

    handler.flush()

    first, second = read_back(aws)
    assert (first["event"], first["node"], first["orphaned"], first["level"]) == ("node_lost", "tms-2", 3, "warning")
    assert second["event"] == "a library says\ntwo lines"


def test_pending_events_are_sent_at_exit_and_later_ones_are_counted(handler, aws):
    before = lost()
    structlog.get_logger("tests.cloudwatch").warning("last_words")

    handler.close()
    structlog.get_logger("tests.cloudwatch").warning("too late")

    assert [message["event"] for message in read_back(aws)] == ["last_words"]
    assert lost() - before == 1


def test_log_messages_of_boto_about_sending_are_not_sent(handler, aws):
    handler.handle(logging.makeLogRecord({"name": "botocore.endpoint", "msg": "sent"}))

    handler.flush()

    assert not handler.queues


def test_a_missing_group_loses_events_and_counts_them(aws):
    before = lost()

    for handler in made():
        for number in range(3):
            structlog.get_logger("tests.cloudwatch").warning("lost", number=number)
        handler.flush()

    assert lost() - before == 3


@pytest.fixture
def deaf() -> Iterator[str]:
    """The address of a host that accepts connections and never answers."""
    with socket.create_server((HOST, 0), backlog=64) as listener:
        yield f"http://{HOST}:{listener.getsockname()[1]}"


def test_an_unresponsive_cloudwatch_delays_nothing(aws, deaf, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", deaf)
    monkeypatch.setattr(logs, "LEAVE_S", 0.05)
    monkeypatch.setattr(logs, "MAX_WAITING", 10)
    before = lost()

    for handler in made():
        for number in range(50):
            structlog.get_logger("tests.cloudwatch").warning("dropped", number=number)
        handler.flush()

    assert lost() - before >= 1
    assert handler.shutting_down


@pytest.mark.parametrize(
    ("indexes", "number"),
    [
        ({}, 0),
        ({"tooOldLogEventEndIndex": 2}, 2),
        ({"expiredLogEventEndIndex": 3, "tooOldLogEventEndIndex": 2}, 3),
        ({"tooNewLogEventStartIndex": 7}, 3),
        ({"tooOldLogEventEndIndex": 2, "tooNewLogEventStartIndex": 7}, 5),
    ],
)
def test_events_that_are_too_old_or_too_new_are_counted(indexes, number):
    assert count_refused(indexes, 10) == number
