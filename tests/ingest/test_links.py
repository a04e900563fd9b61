"""The links of one node: the newest wins, revoked ones close, commands are sent."""

import asyncio
import time
from datetime import UTC, datetime, timedelta

import pytest

from tests.ingest.node import Node
from tests.support.builders import AT, later
from tests.support.polling import wait_for_value_async
from tests.support.threads import in_thread
from tms.alerts.models import Alert
from tms.commands.models import Command, CommandState
from tms.feed.change import Change
from tms.feed.hub import hub
from tms.fleet.credentials import services
from tms.fleet.devices import placements
from tms.fleet.models import Credential, TerminalState
from tms.ingest import links as module
from tms.ingest.models import TakeoverCounter
from tms.ingest.takeovers import find_bans
from tms.protocol.close_codes import CloseCode
from tms.telemetry.models import Event

pytestmark = [pytest.mark.both, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def terminal(fleet):
    return fleet.terminal()


async def elsewhere(terminal) -> Change:
    """The terminal boots on another node; the message of the feed about it."""
    await in_thread(lambda: TerminalState.objects.filter(pk=terminal.pk).update(session=99))
    return Change(sessions=frozenset({(terminal.pk, 99)}))


async def test_a_newer_session_on_the_same_node_closes_the_older(node, terminal):
    _, old = await node.booted(terminal)

    newer, new = await node.booted(terminal)

    assert (old.closed, new.closed) == (CloseCode.REPLACED, None)
    assert node.links.by_terminal == {terminal.pk: newer}


async def test_a_newer_session_elsewhere_closes_the_one_here(node, terminal):
    _, wire = await node.booted(terminal)

    node.links.changed(await elsewhere(terminal))

    assert wire.closed == CloseCode.REPLACED


async def test_a_message_about_this_session_closes_nothing(node, terminal):
    session, wire = await node.booted(terminal)

    node.links.changed(Change(sessions=frozenset({(terminal.pk, session.number), (terminal.pk + 1, 9)})))

    assert wire.closed is None


async def test_the_end_of_a_replaced_link_does_not_affect_the_newer_one(node, terminal):
    old, _ = await node.booted(terminal)
    newer, _ = await node.booted(terminal)

    old.end()

    assert node.links.by_terminal == {terminal.pk: newer}


async def take_over(node: Node, terminal, times: int) -> None:
    for _ in range(times):
        await node.booted(terminal)


async def lose_to_another_node(node: Node, terminal, times: int) -> None:
    for _ in range(times):
        session, _ = await node.booted(terminal)
        newer = session.number + 1
        await in_thread(lambda: TerminalState.objects.filter(pk=terminal.pk).update(session=newer))  # noqa: B023
        node.links.changed(Change(sessions=frozenset({(terminal.pk, newer)})))


@pytest.mark.parametrize("take_link", [take_over, lose_to_another_node])
async def test_devices_that_replace_each_other_repeatedly_are_banned_and_an_alert_opens(
    node, settings, fleet, terminal, take_link
):
    settings.TAKEOVERS_PER_MINUTE = 3
    await in_thread(fleet.event_rule, "tms.duplicate_credential")

    await take_link(node, terminal, 3)
    await node.batch.wait_until_idle()
    before = await in_thread(find_bans, datetime.now(UTC))
    await take_link(node, terminal, 5)
    await node.batch.wait_until_idle()

    assert before == []
    [(banned, left_s)] = await in_thread(find_bans, datetime.now(UTC))
    assert banned == terminal.pk
    assert 0 < left_s <= settings.TAKEOVER_BAN_S
    assert await in_thread(lambda: Alert.objects.get().terminal) == terminal


async def test_takeovers_are_counted_over_all_nodes(node, settings, fleet, terminal, database):
    """Each node sees some of them."""
    settings.TAKEOVERS_PER_MINUTE = 3
    others = [Node(database) for _ in range(2)]
    for each in others:
        each.batch.start()

    for each in (node, *others, node, *others):
        await lose_to_another_node(each, terminal, 1)
        await each.batch.wait_until_idle()

    assert [pk for pk, _ in await in_thread(find_bans, datetime.now(UTC))] == [terminal.pk]
    assert await in_thread(Event.objects.filter(code="tms.duplicate_credential").count) == 1
    for each in others:
        await each.batch.stop()


async def test_a_node_refuses_terminals_that_any_node_banned(node, terminal):
    until = datetime.now(UTC) + timedelta(seconds=300)
    await in_thread(lambda: TakeoverCounter.objects.create(terminal=terminal, banned_until=until))

    async with node.looking():
        await wait_for_value_async(lambda: node.links.ban_left_s(terminal.pk) > 290, expected=True)


@pytest.mark.services
async def test_a_link_whose_replacement_was_not_published_is_found_in_the_database(node, terminal):
    _, wire = await node.booted(terminal)
    await in_thread(lambda: TerminalState.objects.filter(pk=terminal.pk).update(session=99, node="another"))
    node.links.changed(Change(everything=True))

    async with node.looking():
        await wire.ended()

    assert wire.closed == CloseCode.REPLACED


@pytest.mark.services
async def test_a_gap_during_a_poll_is_left_to_the_next_poll(node, terminal, monkeypatch):
    monkeypatch.setattr(hub(), "subscribed", True)
    monkeypatch.setattr(hub(), "received_at", time.monotonic())
    _, wire = await node.booted(terminal)
    await in_thread(lambda: TerminalState.objects.filter(pk=terminal.pk).update(session=99, node="another"))
    now = datetime.now(UTC)

    during = asyncio.create_task(node.links.poll_once(now, now))
    await asyncio.sleep(0)  # it has begun to read
    node.links.changed(Change(everything=True))
    await during
    before = wire.closed
    await node.links.poll_once(now, now)

    assert (before, wire.closed) == (None, CloseCode.REPLACED)


async def test_a_revoked_key_closes_its_link_and_no_other(node, fleet, terminal):
    other = await in_thread(fleet.terminal)
    session, wire = await node.booted(terminal)
    _, untouched = await node.booted(other)

    node.links.changed(Change(revoked=frozenset({session.credential_id})))

    assert (wire.closed, untouched.closed) == (CloseCode.CREDENTIAL_REVOKED, None)


@pytest.mark.parametrize("is_told", [True, False], ids=["told", "after a gap"])
async def test_swapped_devices_are_asked_to_connect_again_soon(node, fleet, is_told):
    one, other = await in_thread(fleet.terminal), await in_thread(fleet.terminal)
    session, wire = await node.booted(one)
    keys = frozenset({session.credential_id})
    await in_thread(lambda: placements.swap(one, other, by=None, at=datetime.now(UTC)))

    node.links.changed(Change(revoked=keys, moved=keys) if is_told else Change(everything=True))
    await node.links.poll_once(datetime.now(UTC), datetime.now(UTC))

    assert wire.closed == CloseCode.DRAINING


# Commands


async def test_a_command_is_sent_when_it_is_published(node, fleet, terminal):
    _, wire = await node.booted(terminal)
    await in_thread(lambda: fleet.command(terminal, at=datetime.now(UTC)))

    node.links.changed(Change(commands=frozenset({terminal.pk, 12345})))

    assert (await wire.sent("command"))["name"] == "ping"
    assert await in_thread(lambda: Command.objects.get().state) == CommandState.SENT


async def test_a_waiting_command_is_sent_after_the_boot(node, fleet, terminal):
    await in_thread(lambda: fleet.command(terminal, at=datetime.now(UTC)))

    _, wire = await node.booted(terminal)

    assert (await wire.sent("command"))["name"] == "ping"


async def test_a_gap_in_the_feed_sends_waiting_commands(node, fleet, terminal):
    _, wire = await node.booted(terminal)
    await in_thread(lambda: fleet.command(terminal, at=datetime.now(UTC)))

    node.links.changed(Change(everything=True))

    assert (await wire.sent("command"))["name"] == "ping"


# Changes that the feed missed


async def test_a_poll_finds_revoked_keys_and_waiting_commands(node, fleet, terminal, monkeypatch):
    monkeypatch.setattr(module, "POLL_INTERVAL_S", 0.01)
    other = await in_thread(fleet.terminal)
    _, revoked = await node.booted(terminal)
    _, wire = await node.booted(other)
    now = datetime.now(UTC)
    await in_thread(lambda: services.revoke(Credential.objects.filter(terminal=terminal), at=now))
    await in_thread(lambda: fleet.command(other, at=now))

    async with node.looking():
        await revoked.ended()
        await wire.sent("command")

    assert revoked.closed == CloseCode.CREDENTIAL_REVOKED


def ban(fleet, terminal) -> None:
    TakeoverCounter.objects.create(terminal=terminal, banned_until=later(300))


def revoke(fleet, terminal) -> None:
    services.revoke(Credential.objects.filter(terminal=terminal), at=AT)


CHANGES = {"revoked": revoke, "waiting": lambda fleet, terminal: fleet.command(terminal, at=AT), "bans": ban}


@pytest.mark.parametrize("what", CHANGES)
def test_a_poll_finds_each_kind_of_change(fleet, terminal, what):
    before = module.poll(later(-5), AT, {})

    CHANGES[what](fleet, terminal)

    found = module.poll(later(-5), later(1), {})
    assert not any(before)
    assert [name for name in CHANGES if getattr(found, name)] == [what]


def test_after_an_outage_a_poll_finds_a_key_that_was_revoked_meanwhile(fleet, terminal):
    revoke(fleet, terminal)

    assert module.poll(later(-5), later(600), {}).revoked
