"""The links of a node: started with the first one, and stopped without uncommitted data."""

from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio
from django.db import OperationalError
from structlog.testing import capture_logs

from tests.ingest.messages import boot, reports, taken
from tests.ingest.wire import Wire
from tests.support.builders import AT, key_of
from tests.support.threads import in_thread
from tms.alerts.rules.cache import rule_cache
from tms.feed.hub import hub
from tms.feed.publisher import feed
from tms.fleet.models import Cause, TerminalState
from tms.ingest import gateway as ending
from tms.ingest.batch import Batch
from tms.ingest.batch_result import BatchResult
from tms.ingest.gateway import Gateway
from tms.ingest.items import Item
from tms.protocol import frames
from tms.telemetry.models import Report

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest_asyncio.fixture
async def gateway(feed_recorder, fleet, settings) -> AsyncIterator[Gateway]:
    settings.FLUSH_INTERVAL_S, settings.DRAIN_SPREAD_S = 0.01, 30
    gateway = Gateway()
    gateway.start()
    hub().listeners |= {gateway.links, rule_cache()}
    hub().start()
    yield gateway
    await gateway.stop()
    hub().listeners.clear()
    await hub().stop()
    await feed().detach()


async def opened(gateway: Gateway, terminal, *, address: str | None = None) -> tuple:
    wire = Wire()
    return gateway.open(await in_thread(key_of, terminal), wire=wire, address=address), wire


async def test_a_link_boots_reports_and_is_acknowledged(gateway, fleet):
    terminal = await in_thread(fleet.terminal)
    session, wire = await opened(gateway, terminal, address="192.0.2.7")

    await taken(session, boot())
    await taken(session, reports(1, 3))

    assert await wire.sent("ack") == {"seq": 3}
    assert await in_thread(lambda: type(terminal).objects.get().address) == "192.0.2.7"


async def test_a_drain_sends_every_terminal_the_time_to_reconnect_and_refuses_handshakes(gateway, fleet):
    wires = []
    for _ in range(3):
        session, wire = await opened(gateway, await in_thread(fleet.terminal))
        await taken(session, boot())
        wires.append(wire)

    await gateway.announce_drain()

    assert [wire.of("drain") for wire in wires] == [[{"reconnect_after_s": 1.0, "spread_s": 30.0}]] * 3
    assert (await gateway.admission.decide({"headers": [], "subprotocols": ["tms.v1"]})).status == 503


async def test_reports_before_the_end_are_committed_and_connected_terminals_are_recorded_as_dropped(gateway, fleet):
    session, _ = await opened(gateway, await in_thread(fleet.terminal))
    await taken(session, boot())
    await taken(session, reports(1, 20))
    await gateway.announce_drain()

    session.end(Cause.NODE_STOPPED)
    await gateway.batch.wait_until_idle()

    assert await in_thread(Report.objects.count) == 20
    assert await in_thread(lambda: TerminalState.objects.get().cause) == Cause.NODE_STOPPED


async def test_a_node_with_an_unavailable_database_ends_and_logs_what_is_lost(fleet, settings, monkeypatch):
    settings.FLUSH_INTERVAL_S = 0.01
    monkeypatch.setattr(ending, "LAST_COMMIT_S", 0.01)
    gateway = Gateway()
    gateway.batch = Batch(away)
    gateway.batch.start()
    session, _ = await opened(gateway, await in_thread(fleet.terminal))
    session.note(frames.TerminalEvent(at=AT, code="door.open"))

    with capture_logs() as logs:
        await gateway.stop()

    assert [entry["items"] for entry in logs if entry["event"] == "given_up"] == [1]


def away(items: Sequence[Item]) -> BatchResult:
    raise OperationalError("away")
