"""Which process measures what, and when."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, connections

from tms.fleet.models import Presence
from tms.metrics import instruments
from tms.ops.cloudwatch.bridge import Bridge
from tms.ops.cloudwatch.sender import Datum, Sender
from tms.ops.cloudwatch.table import TABLE, SentBy

pytestmark = pytest.mark.both

AT = datetime(2026, 11, 25, 9, tzinfo=UTC)


class Basket(Sender):
    """Stores the offered data points."""

    def __init__(self) -> None:
        super().__init__(lambda data: None)
        self.data: list[Datum] = []

    def offer(self, data: Sequence[Datum]) -> None:
        self.data += data

    def take(self) -> dict[str, float]:
        taken = {datum.name: datum.measured for datum in self.data}
        self.data.clear()
        return taken


@pytest.fixture
def basket() -> Basket:
    return Basket()


@pytest.fixture
def lead():
    """Reports whether the clock of this process is the leader."""
    yield instruments.CLOCK_LEADS.set
    instruments.CLOCK_LEADS.set(0)


def names(*senders: SentBy) -> set[str]:
    """No loop of the clock runs here, so none has an age."""
    return {row.name for row in TABLE if row.sent_by in senders} - {"ClockLoopAge"}


def test_only_the_leader_reports_on_the_fleet(fleet, basket, lead):
    fleet.with_presence(Presence.ONLINE)
    fleet.with_presence(Presence.SILENT)
    bridge = Bridge(basket, serves=False)

    lead(0)
    bridge.measure(AT)
    others = basket.take()
    lead(1)
    bridge.measure(AT)
    leaders = basket.take()

    assert others.keys() == names(SentBy.PROCESS)
    assert leaders.keys() == names(SentBy.PROCESS, SentBy.LEADER)
    assert (leaders["ActiveTerminals"], leaders["SilentTerminals"], leaders["TotalTerminals"]) == (1, 1, 2)


def test_only_a_process_with_sockets_reports_links(basket):
    Bridge(basket, serves=True).measure(AT)
    node = basket.take()

    Bridge(basket, serves=False).measure(AT)

    assert "Links" in node
    assert "Links" not in basket.take()


def test_a_counter_is_sent_as_its_increase(basket):
    bridge = Bridge(basket, serves=False)
    bridge.measure(AT)
    basket.take()
    instruments.FEED_FAILURES.inc(3)

    bridge.measure(AT)
    first = basket.take()["FeedFailures"]
    bridge.measure(AT)

    assert first == 3
    assert basket.take()["FeedFailures"] == 0


def test_the_last_measurement_only_has_the_increase_of_counters_because_the_minute_is_already_reported(basket, lead):
    lead(1)
    bridge = Bridge(basket, serves=True)
    instruments.INGEST_ACK_SECONDS.observe(0.3)

    bridge.measure(AT, is_last=True)

    last = basket.take()
    assert last.keys() == {row.name for row in TABLE if not row.measure.is_level}
    assert last["AckSeconds"].values[-1] >= 0.3


def test_an_unavailable_database_does_not_affect_other_metrics(db, basket, lead, monkeypatch):
    def unavailable(*_: object) -> None:
        raise DatabaseError("away")

    lead(1)
    bridge = Bridge(basket, serves=False)

    with monkeypatch.context() as patch:
        patch.setattr(connections["default"], "cursor", unavailable)
        bridge.measure(AT)

    result = basket.take()
    assert "ActiveTerminals" not in result
    assert {"ClockLag", "BridgeLag"} <= result.keys()


def test_a_failed_measurement_is_counted_and_the_next_one_follows(basket, monkeypatch):
    bridge = Bridge(basket, serves=False)
    before = instruments.BRIDGE_FAILURES._value.get()

    with monkeypatch.context() as patch:
        patch.setattr(basket, "offer", lambda data: 1 / 0)
        bridge._try_to_measure()
    bridge._try_to_measure()

    assert instruments.BRIDGE_FAILURES._value.get() - before == 1
    assert basket.take()["BridgeFailures"] == 1


@pytest.mark.parametrize(("after_s", "pause_s"), [(0.0, 60.1), (0.1, 60.0), (15, 45.1), (59.9, 0.2)])
def test_all_processes_measure_at_the_start_of_the_minute(basket, after_s, pause_s):
    bridge = Bridge(basket, serves=False)
    now = AT + timedelta(seconds=after_s)

    assert bridge._pause_s(now) == pytest.approx(pause_s, abs=0.01)
    assert bridge._minute(now) == AT
