"""Reports that terminals send later, made while they were offline."""

import pytest

from tests.support.builders import Link, later
from tms.fleet.models import Terminal
from tms.fleet.models.outage import Outage, OutageCause
from tms.ingest import commit
from tms.telemetry.rollups import backfill
from tms.telemetry.rollups.backfill import ARRIVES_WITHIN

pytestmark = [pytest.mark.both, pytest.mark.embedded]

LATE_S = ARRIVES_WITHIN.total_seconds()


@pytest.fixture
def terminal(fleet) -> Terminal:
    """It made two reports, and its connection broke."""
    link = Link(fleet.terminal())
    commit.write([link.boot(), link.report(1), link.report(2, at=later(30)), link.lost(at=later(60))])
    return link.terminal


def reconnect(terminal: Terminal, *, boot_id: str = "boot-1", **boot: object) -> Link:
    link = Link(terminal)
    commit.write([link.boot(boot_id, at=later(300), **boot)])
    return link


def recorded() -> tuple[str, int | None, int | None]:
    outage = Outage.objects.get()
    return outage.cause, outage.reports_made, outage.reports_sent


def test_reports_made_meanwhile_are_counted_once_all_have_arrived(terminal):
    link = reconnect(terminal, last_seq=5)
    late = [link.report(seq, at=later(301), taken_at=later(30 * seq), late=True) for seq in (3, 4)]
    commit.write([*late, link.report(6, at=later(301))])
    backfill.count(later(302))
    before = recorded()

    commit.write([link.report(5, at=later(303), taken_at=later(150), late=True)])
    backfill.count(later(304))

    assert before == (OutageCause.NETWORK, 3, None)
    assert recorded() == (OutageCause.NETWORK, 3, 3)


def test_missing_reports_are_no_longer_waited_for(terminal):
    link = reconnect(terminal, last_seq=5)
    commit.write([link.report(4, at=later(301), taken_at=later(120), late=True), link.report(6, at=later(301))])

    counted = [backfill.count(later(300 + LATE_S - 1)), backfill.count(later(300 + LATE_S))]

    assert counted == [0, 1]
    assert recorded() == (OutageCause.NETWORK, 3, 1)


def test_reports_of_an_unknown_number_are_only_counted_when_no_more_are_expected(terminal):
    reconnect(terminal, boot_id="boot-2", uptime_s=40)

    found = [list(backfill.countable(later(300 + seconds))) for seconds in (LATE_S - 1, LATE_S)]

    assert found == [[], [Outage.objects.get()]]


def test_a_terminal_rebooted_during_a_network_outage_had_a_network_outage(terminal):
    link = reconnect(terminal, boot_id="boot-2", uptime_s=40, last_seq=1)
    before = recorded()
    spooled = [
        link.report(seq, at=later(301), taken_at=later(30 * seq), boot_id="boot-1", late=True) for seq in (3, 4, 5)
    ]
    commit.write([*spooled, link.report(1, at=later(301), taken_at=later(280), late=True)])

    backfill.count(later(300 + LATE_S))

    assert before == (OutageCause.POWER, None, None)
    assert recorded() == (OutageCause.NETWORK, None, 3)


def test_a_report_in_transit_at_a_power_failure_is_no_evidence_of_a_network_outage(terminal):
    link = reconnect(terminal, boot_id="boot-2", uptime_s=40)
    commit.write([link.report(3, at=later(301), taken_at=later(59), boot_id="boot-1", late=True)])

    backfill.count(later(300 + LATE_S))

    assert recorded() == (OutageCause.POWER, None, 1)


def test_the_oldest_are_counted_first_and_a_pass_has_a_limit(fleet, monkeypatch):
    monkeypatch.setattr(backfill, "PASS_LIMIT", 2)
    links = [Link(fleet.terminal()) for _ in range(3)]
    commit.write([link.boot() for link in links])
    commit.write([link.lost(at=later(10)) for link in links])
    again = [Link(link.terminal) for link in links]
    commit.write([link.boot("boot-2", at=later(20 + n), uptime_s=5) for n, link in enumerate(again)])

    counted = [backfill.count(later(900)) for _ in range(3)]

    assert counted == [2, 1, 0]


@pytest.mark.django_db(transaction=True)
def test_boards_are_notified(transactional_db, terminal, feed_recorder):
    reconnect(terminal, last_seq=3)
    feed_recorder.changes()

    backfill.count(later(900))

    assert feed_recorder.change().terminals == {terminal.pk}
