"""Outages as links make them: begun with the loss, told why with the return."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.support.builders import AT, Link, later
from tms.clock import presence_sweep
from tms.fleet.models import Cause, Presence, TerminalState
from tms.fleet.models.outage import Outage, OutageCause
from tms.ingest import store

pytestmark = pytest.mark.both


def told() -> list[tuple[str, float | None]]:
    """Cause and length in seconds of each, in the order of their beginning."""
    rows = Outage.objects.order_by("began_at", "pk")
    return [(row.cause, (row.ended_at - row.began_at).total_seconds() if row.ended_at else None) for row in rows]


def false_offline() -> float:
    return REGISTRY.get_sample_value("tms_false_offline_total") or 0.0


@pytest.fixture
def link(fleet) -> Link:
    link = Link(fleet.terminal())
    store.write([link.boot(last_seq=0), link.report(1), link.report(2)])
    return link


def comes_back(link: Link, *, at: datetime, boot_id: str = "boot-1", **boot: Any) -> Link:
    again = Link(link.terminal)
    store.write([again.boot(boot_id, at=at, **boot)])
    return again


def test_a_terminal_that_is_seen_for_the_first_time_was_not_away(link):
    assert told() == []


def test_a_link_that_broke_and_came_back_with_the_same_boot_was_the_network(link):
    store.write([link.lost(at=later(60))])
    began = told()

    comes_back(link, at=later(300), uptime_s=7_000, last_seq=10)

    outage = Outage.objects.get()
    assert began == [("", None)]
    assert told() == [(OutageCause.NETWORK, 240)]
    assert (outage.lost_by, outage.has_restarted, outage.uptime_s) == (Cause.CONNECTION_LOST, False, 7_000)
    assert (outage.boot_id, outage.seq, outage.reports_made, outage.reports_sent) == ("boot-1", 2, 8, None)


def test_an_outage_begins_when_the_terminal_was_last_heard(link, scheduler):
    store.write([link.report(3, at=later(20))])

    scheduler.advance(seconds=120, step_s=5)
    comes_back(link, at=later(200), boot_id="boot-2", uptime_s=60)

    outage = Outage.objects.get()
    assert (outage.began_at, outage.offline_at) == (later(20), later(95))
    assert told() == [(OutageCause.POWER, 180)]


def test_a_device_that_was_up_all_the_time_has_software_that_died(link):
    store.write([link.lost(at=later(60))])

    comes_back(link, at=later(90), boot_id="boot-2", uptime_s=86_400)

    assert told() == [(OutageCause.APPLICATION, 30)]
    assert Outage.objects.get().has_restarted


def test_a_goodbye_made_it_planned(link):
    store.write([link.goodbye("reboot", at=later(60), back_at=later(120)), link.lost(at=later(61))])

    comes_back(link, at=later(110), boot_id="boot-2", uptime_s=20)

    assert told() == [(OutageCause.PLANNED, 50)]
    assert Outage.objects.get().reports_sent == 0


def test_a_link_that_goes_on_after_a_silence_needed_no_boot(link, scheduler):
    scheduler.advance(seconds=60, step_s=5)

    store.write([link.report(3, at=later(70))])

    outage = Outage.objects.get()
    assert (outage.cause, outage.has_restarted) == (OutageCause.APPLICATION, None)


def test_what_was_heard_in_time_and_stored_late_was_our_own_fault_and_is_counted_as_such(link, scheduler):
    before = false_offline()
    scheduler.advance(seconds=120, step_s=5)
    called = TerminalState.objects.get().presence

    store.write([link.report(3, at=later(40))])

    assert called == Presence.OFFLINE
    assert Outage.objects.get().cause == OutageCause.SERVER
    assert false_offline() - before == 1


def test_coming_and_going_within_one_batch_is_told_in_its_order(link):
    again = Link(link.terminal)
    store.write([link.lost(at=later(10)), again.boot(at=later(20)), again.lost(at=later(30))])
    within = told()

    comes_back(link, at=later(50))

    assert within == [(OutageCause.NETWORK, 10), ("", None)]
    assert told() == [(OutageCause.NETWORK, 10), (OutageCause.NETWORK, 20)]


# Was it us?


@pytest.fixture
def dropped(link, settings) -> Link:
    """Its node is lost."""
    presence_sweep.orphan(settings.NODE, later(60), cause=Cause.NODE_LOST, since=later(50))
    return link


def test_a_terminal_whose_node_was_lost_says_which(dropped, settings):
    before = false_offline()

    comes_back(dropped, at=later(80), uptime_s=7_000, last_seq=3)

    outage = Outage.objects.get()
    assert told() == [(OutageCause.SERVER, 30)]
    assert (outage.node, outage.lost_by) == (settings.NODE, Cause.NODE_LOST)
    assert false_offline() == before


def test_a_terminal_that_we_called_offline_though_it_only_came_late_is_counted(dropped, scheduler, settings):
    before = false_offline()
    scheduler.at = later(60)
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S, step_s=10)

    comes_back(dropped, at=scheduler.at + timedelta(seconds=20), uptime_s=7_000, last_seq=6)

    assert Outage.objects.get().cause == OutageCause.SERVER
    assert false_offline() - before == 1


def test_a_terminal_that_lost_its_network_as_well_is_not_our_fault(dropped, scheduler, settings):
    before = false_offline()
    scheduler.at = later(60)
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S, step_s=10)

    comes_back(dropped, at=scheduler.at + timedelta(hours=2), uptime_s=9e5, last_seq=200)

    assert Outage.objects.get().cause == OutageCause.NETWORK
    assert false_offline() == before


def test_a_thousand_terminals_cost_as_many_queries_as_one(fleet, django_assert_max_num_queries, settings):
    links = [Link(terminal) for terminal in fleet.terminals(1_000)]
    store.write([link.boot() for link in links])
    with django_assert_max_num_queries(18):
        presence_sweep.orphan(settings.NODE, AT, cause=Cause.NODE_LOST)
    again = [Link(link.terminal) for link in links]

    with django_assert_max_num_queries(24):
        store.write([link.boot(at=later(20)) for link in again])

    assert Outage.objects.filter(cause=OutageCause.SERVER).count() == 1_000
