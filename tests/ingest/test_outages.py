"""Outages from the view of links: begun with the loss, with a cause on return."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.support.builders import AT, Link, later
from tms.clock import presence_sweep
from tms.fleet.models import Cause, Presence, TerminalState
from tms.fleet.models.outage import Outage, OutageCause
from tms.ingest import commit

pytestmark = pytest.mark.both


def outages() -> list[tuple[str, float | None]]:
    """Cause and length in seconds of each, in the order of their beginning."""
    rows = Outage.objects.order_by("began_at", "pk")
    return [(row.cause, (row.ended_at - row.began_at).total_seconds() if row.ended_at else None) for row in rows]


def false_offline() -> float:
    return REGISTRY.get_sample_value("tms_false_offline_total") or 0.0


@pytest.fixture
def link(fleet) -> Link:
    link = Link(fleet.terminal())
    commit.write([link.boot(last_seq=0), link.report(1), link.report(2)])
    return link


def reconnect(link: Link, *, at: datetime, boot_id: str = "boot-1", **boot: Any) -> Link:
    again = Link(link.terminal)
    commit.write([again.boot(boot_id, at=at, **boot)])
    return again


def test_a_new_terminal_had_no_outage(link):
    assert outages() == []


def test_a_link_that_broke_and_returned_with_the_same_boot_is_a_network_outage(link):
    commit.write([link.lost(at=later(60))])
    began = outages()

    reconnect(link, at=later(300), uptime_s=7_000, last_seq=10)

    outage = Outage.objects.get()
    assert began == [("", None)]
    assert outages() == [(OutageCause.NETWORK, 240)]
    assert (outage.lost_by, outage.has_restarted, outage.uptime_s) == (Cause.CONNECTION_LOST, False, 7_000)
    assert (outage.boot_id, outage.seq, outage.reports_made, outage.reports_sent) == ("boot-1", 2, 8, None)


def test_the_outage_of_a_half_open_link_starts_with_its_last_received_data(link):
    commit.write([link.lost(at=later(60), since=later(25))])

    reconnect(link, at=later(300), uptime_s=7_000, last_seq=10)

    assert outages() == [(OutageCause.NETWORK, 275)]


def test_an_outage_starts_at_the_last_frame(link, scheduler):
    commit.write([link.report(3, at=later(20))])

    scheduler.advance(seconds=120, step_s=5)
    reconnect(link, at=later(200), boot_id="boot-2", uptime_s=60)

    outage = Outage.objects.get()
    assert (outage.began_at, outage.offline_at) == (later(20), later(95))
    assert outages() == [(OutageCause.POWER, 180)]


def test_a_device_that_was_up_all_the_time_had_a_software_failure(link):
    commit.write([link.lost(at=later(60))])

    reconnect(link, at=later(90), boot_id="boot-2", uptime_s=86_400)

    assert outages() == [(OutageCause.APPLICATION, 30)]
    assert Outage.objects.get().has_restarted


def test_a_goodbye_makes_it_planned(link):
    commit.write([link.goodbye("reboot", at=later(60), back_at=later(120)), link.lost(at=later(61))])

    reconnect(link, at=later(110), boot_id="boot-2", uptime_s=20)

    assert outages() == [(OutageCause.PLANNED, 50)]
    assert Outage.objects.get().reports_sent == 0


def test_a_link_that_continues_after_a_silence_needs_no_boot(link, scheduler):
    scheduler.advance(seconds=60, step_s=5)

    commit.write([link.report(3, at=later(70))])

    outage = Outage.objects.get()
    assert (outage.cause, outage.has_restarted) == (OutageCause.APPLICATION, None)


def test_frames_received_in_time_and_stored_late_are_our_fault_and_counted_as_such(link, scheduler):
    before = false_offline()
    scheduler.advance(seconds=120, step_s=5)
    called = TerminalState.objects.get().presence

    commit.write([link.report(3, at=later(40))])

    assert called == Presence.OFFLINE
    assert Outage.objects.get().cause == OutageCause.SERVER
    assert false_offline() - before == 1


def test_losses_and_returns_within_one_batch_are_recorded_in_order(link):
    again = Link(link.terminal)
    commit.write([link.lost(at=later(10)), again.boot(at=later(20)), again.lost(at=later(30))])
    within = outages()

    reconnect(link, at=later(50))

    assert within == [(OutageCause.NETWORK, 10), ("", None)]
    assert outages() == [(OutageCause.NETWORK, 10), (OutageCause.NETWORK, 20)]


# Losses caused by TMS


@pytest.fixture
def dropped(link, settings) -> Link:
    """Its node is lost."""
    presence_sweep.orphan(settings.NODE, later(60), cause=Cause.NODE_LOST, since=later(50))
    return link


def test_a_terminal_of_a_lost_node_names_it(dropped, settings):
    before = false_offline()

    reconnect(dropped, at=later(80), uptime_s=7_000, last_seq=3)

    outage = Outage.objects.get()
    assert outages() == [(OutageCause.SERVER, 30)]
    assert (outage.node, outage.lost_by) == (settings.NODE, Cause.NODE_LOST)
    assert false_offline() == before


def test_a_terminal_that_was_offline_only_because_it_was_stored_late_is_counted(dropped, scheduler, settings):
    before = false_offline()
    scheduler.at = later(60)
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S, step_s=10)

    reconnect(dropped, at=scheduler.at + timedelta(seconds=20), uptime_s=7_000, last_seq=6)

    assert Outage.objects.get().cause == OutageCause.SERVER
    assert false_offline() - before == 1


def test_a_terminal_that_also_lost_its_network_is_not_our_fault(dropped, scheduler, settings):
    before = false_offline()
    scheduler.at = later(60)
    scheduler.advance(seconds=settings.RECONNECT_GRACE_S, step_s=10)

    reconnect(dropped, at=scheduler.at + timedelta(hours=2), uptime_s=9e5, last_seq=200)

    assert Outage.objects.get().cause == OutageCause.NETWORK
    assert false_offline() == before


def test_a_thousand_terminals_cost_as_many_queries_as_one(fleet, django_assert_max_num_queries, settings):
    links = [Link(terminal) for terminal in fleet.terminals(1_000)]
    commit.write([link.boot() for link in links])
    with django_assert_max_num_queries(18):
        presence_sweep.orphan(settings.NODE, AT, cause=Cause.NODE_LOST)
    again = [Link(link.terminal) for link in links]

    with django_assert_max_num_queries(24):
        commit.write([link.boot(at=later(20)) for link in again])

    assert Outage.objects.filter(cause=OutageCause.SERVER).count() == 1_000
