"""How data points get to CloudWatch, and what happens if they do not."""

import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.polling import wait_for_value
from tms.metrics import instruments
from tms.ops.cloudwatch import sender as sending
from tms.ops.cloudwatch.measures import Distribution
from tms.ops.cloudwatch.sender import Datum, RejectedByCloudWatch, Sender, back_off, one_request
from tms.ops.cloudwatch.table import Unit

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)


class Shore:
    """The receiver of data points: accepts all, or behaves as configured."""

    def __init__(self) -> None:
        self.taken: list[Mapping[str, Any]] = []
        self.calls = 0
        self.problem: Exception | None = None
        self.now = AT

    def __call__(self, data: Sequence[Mapping[str, Any]]) -> None:
        self.calls += 1
        if self.problem:
            raise self.problem
        self.taken += data

    @property
    def values(self) -> list[float]:
        return [datum["Value"] for datum in self.taken]


@pytest.fixture
def shore(monkeypatch) -> Shore:
    monkeypatch.setattr(sending, "FIRST_PAUSE_S", 0.01)
    return Shore()


@pytest.fixture
def sender(shore: Shore) -> Iterator[Sender]:
    sender = Sender(shore, now=lambda: shore.now)
    sender.start()
    yield sender
    sender.stop()


def number(value: float, *, at: datetime = AT) -> Datum:
    return Datum("Links", Unit.COUNT, at, value)


def counted(counter: Any) -> Callable[[], float]:
    """The increase from now on."""
    before = counter._value.get()
    return lambda: counter._value.get() - before


def test_data_points_arrive_in_order_with_name_unit_and_time(sender, shore):
    sent = counted(instruments.BRIDGE_SENT)

    sender.offer([number(1), number(2)])
    sender.offer([Datum("AckSeconds", Unit.SECONDS, AT, Distribution((0.1, 1), (5, 2)))])

    wait_for_value(lambda: len(shore.taken), 3)
    assert shore.taken[0] == {"MetricName": "Links", "Unit": "Count", "Timestamp": AT, "Value": 1}
    assert shore.taken[2] == {
        "MetricName": "AckSeconds",
        "Unit": "Seconds",
        "Timestamp": AT,
        "Values": [0.1, 1],
        "Counts": [5, 2],
    }
    wait_for_value(sent, 3)


def test_unsent_data_points_are_sent_again_once_with_their_original_time(sender, shore):
    failures = counted(instruments.BRIDGE_FAILURES)
    shore.problem = ConnectionError("no way out")
    sender.offer([number(1)])
    wait_for_value(lambda: failures() >= 3, True)
    shore.now += timedelta(minutes=5)
    sender.offer([number(2, at=shore.now)])
    lag_s = sender.lag_s()
    shore.problem = None

    wait_for_value(lambda: shore.values, [1, 2])
    assert lag_s == 300
    assert [datum["Timestamp"] for datum in shore.taken] == [AT, shore.now]
    wait_for_value(sender.lag_s, 0.0)


def test_rejected_data_points_are_dropped_and_block_nothing(sender, shore):
    refused = counted(instruments.BRIDGE_LOST.labels("refused"))
    shore.problem = RejectedByCloudWatch("not a number")
    sender.offer([number(1)])
    wait_for_value(refused, 1)
    shore.problem = None

    sender.offer([number(2)])

    wait_for_value(lambda: shore.values, [2])


def test_no_data_point_in_the_future_or_older_than_two_weeks_is_sent(shore):
    old = counted(instruments.BRIDGE_LOST.labels("old"))
    sender = Sender(shore, now=lambda: shore.now)
    sender.offer([number(1), number(2, at=AT + timedelta(days=30))])
    shore.now = AT + timedelta(days=14)  # and a clock that was far ahead when the second was measured is corrected

    sender.start()
    sender.stop()

    assert old() == 1
    assert [(datum["Value"], datum["Timestamp"]) for datum in shore.taken] == [(2, shore.now)]


def test_pending_data_points_are_bounded_and_the_oldest_is_dropped_first(shore, monkeypatch):
    monkeypatch.setattr(sending, "MAX_WAITING", 3)
    overflow = counted(instruments.BRIDGE_LOST.labels("overflow"))
    sender = Sender(shore, now=lambda: AT)

    for value in range(5):
        sender.offer([number(value)])
    sender.start()
    sender.stop()

    assert overflow() == 2
    assert shore.values == [2, 3, 4]


def test_a_request_has_at_most_a_thousand_data_points():
    waiting = deque(number(value) for value in range(2_500))

    assert len(one_request(waiting)) == 1_000


def test_a_request_is_smaller_than_a_megabyte():
    wide = Distribution(tuple(map(float, range(150))), (1.0,) * 150)
    waiting = deque(Datum("AckSeconds", Unit.SECONDS, AT, wide) for _ in range(1_000))

    batch = one_request(waiting)

    assert 0 < len(batch) < 1_000
    assert sum(len(str(datum.wire(AT))) for datum in batch) < 1_000_000


def test_the_pauses_double_with_jitter_up_to_a_minute():
    pauses = back_off()

    first = [next(pauses) for _ in range(10)]

    bounds = [1, 2, 4, 8, 16, 32, 60, 60, 60, 60]
    assert all(bound / 2 <= pause <= bound for pause, bound in zip(first, bounds, strict=True))


def test_an_exiting_process_sends_pending_data_points_once_more_even_during_a_pause(shore, monkeypatch):
    monkeypatch.setattr(sending, "FIRST_PAUSE_S", 3600)
    failures = counted(instruments.BRIDGE_FAILURES)
    sender = Sender(shore, now=lambda: AT)
    sender.start()
    shore.problem = ConnectionError("no way out")
    sender.offer([number(1)])
    wait_for_value(failures, 1)
    shore.problem = None

    sender.stop()

    assert shore.values == [1]


def test_an_exiting_process_does_not_wait_for_a_hanging_cloudwatch(monkeypatch):
    monkeypatch.setattr(sending, "LEAVE_S", 0.05)
    asked, answered = threading.Event(), threading.Event()

    def hang(data: object) -> None:
        asked.set()
        answered.wait()

    sender = Sender(hang, now=lambda: AT)
    sender.start()
    sender.offer([number(1)])
    asked.wait()

    sender.stop()

    assert not answered.is_set()
    answered.set()
