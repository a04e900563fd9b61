"""The text of outages, and the overview while terminals reconnect that a node dropped."""

from datetime import timedelta

import pytest
from django.utils import translation

from tests.support.builders import Link
from tests.support.factories import now
from tests.support.pages import HtmlPage
from tms.boards.rows.outages import OutageFacts, evidence
from tms.clock import presence_sweep
from tms.fleet.models import Cause
from tms.fleet.models.node import Node, NodeState
from tms.fleet.models.outage import Outage
from tms.fleet.nodes.membership import Membership
from tms.ingest import commit
from tms.lib.calendar.durations import spell

pytestmark = pytest.mark.both

LONG = 3_600.0


def is_hidden(seen: HtmlPage, element: str) -> bool:
    return any("hidden" in attributes for _, attributes in seen.elements if attributes.get("id") == element)


def outage(cause: str, **facts: object) -> OutageFacts:
    blank = OutageFacts(cause, 252, Cause.CONNECTION_LOST, "", False, None, None, None)
    return blank._replace(**facts)


SENTENCES = [
    (outage("network"), "the terminal kept running"),
    (outage("network", made=8), "the terminal kept running and recorded 8 reports meanwhile"),
    (outage("network", made=1), "the terminal kept running and recorded 1 report meanwhile"),
    (outage("network", made=8, sent=8), "the terminal kept running and sent 8 reports afterwards"),
    (
        outage("network", made=8, sent=5),
        "the terminal kept running; 5 of 8 reports from that time arrived",
    ),
    (
        outage("network", has_restarted=True, uptime_s=40.0, sent=30),
        "the terminal kept running offline (30 reports from that time) and restarted later",
    ),
    (
        outage("power", has_restarted=True, uptime_s=41.7),
        "the device restarted; uptime when it returned: 42 s",
    ),
    (
        outage("power", has_restarted=True, uptime_s=41.7, lost_by=Cause.NODE_LOST, node="tms-1"),
        "the device restarted; uptime when it returned: 42 s; it began when TMS node tms-1 dropped the connection",
    ),
    (
        outage("application", has_restarted=True, uptime_s=273_600.0),
        "the software restarted; uptime of the device: 3 d 4 h",
    ),
    (outage("application", has_restarted=None), "the connection stayed open, but no data arrived"),
    (
        outage("server", lost_by=Cause.NODE_LOST, node="tms-1", made=2, sent=2),
        "TMS node tms-1 was lost; the terminal kept running and sent 2 reports afterwards",
    ),
    (
        outage("server", lost_by=Cause.NODE_STOPPED, node="tms-1", made=0, sent=0),
        "TMS node tms-1 restarted; the terminal kept running",
    ),
    (
        outage("server", lost_by=Cause.LEASE_RAN_OUT, has_restarted=None),
        "TMS received the reports in time but stored them late",
    ),
    (outage("planned", lost_by=Cause.UPDATE), "announced update"),
    (
        outage("unclear", has_restarted=True),
        "the terminal restarted; it does not report the uptime of the device",
    ),
    (outage("unclear", made=0), "the terminal did not restart, but made no reports meanwhile"),
]


@pytest.mark.parametrize(("facts", "sentence"), SENTENCES)
def test_an_outage_shows_its_evidence(facts, sentence):
    assert evidence(facts) == sentence


@pytest.mark.parametrize("facts", [facts for facts, _ in SENTENCES])
def test_japanese_pages_contain_no_english(facts):
    with translation.override("ja"):
        result = evidence(facts)

    assert not set(result.replace("tms-1", "").replace("TMS", "")) & set("abcdefghijklmnopqrstuvwxyz;")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0 s"),
        (41.7, "42 s"),
        (60, "1 min"),
        (252, "4 min 12 s"),
        (7_500, "2 h 5 min"),
        (7_230, "2 h"),
        (273_600, "3 d 4 h"),
    ],
)
def test_a_duration_is_shown_in_its_two_largest_units(seconds, words):
    assert spell(seconds) == words


def test_the_timeline_of_a_terminal_shows_the_cause_of_an_outage(page, fleet):
    link = Link(fleet.terminal())
    commit.write([link.boot(at=now(-600)), link.report(1, at=now(-600)), link.lost(at=now(-300))])
    commit.write([Link(link.terminal).boot(at=now(-48), uptime_s=900, last_seq=9)])
    [row] = Outage.objects.all()

    seen = page(f"{link.terminal.get_absolute_url()}?show=link")

    result = seen.text(f"outage-{row.pk}")
    assert "Network outage, 4 min 12 s" in result
    assert "the terminal kept running and recorded 8 reports meanwhile" in result
    assert seen.text("outages") == "Outages last 30 days Outages of the last 30 days by cause Network once 4 min 12 s"


def test_an_ongoing_outage_has_no_cause_yet(page, fleet):
    link = Link(fleet.terminal())
    commit.write([link.boot(at=now(-60)), link.lost(at=now(-30))])

    seen = page(link.terminal.get_absolute_url())

    assert seen.rows("outage-") == []
    assert is_hidden(seen, "outages")


def test_outages_are_summed_by_cause_with_the_longest_first(page, fleet):
    terminal = fleet.online()
    for number, (cause, length) in enumerate([("network", 60), ("power", 300), ("network", 90), ("server", 20)], 1):
        ended = now(-1_000 * number)
        Outage.objects.create(
            terminal=terminal,
            began_at=ended - timedelta(seconds=length),
            ended_at=ended,
            cause=cause,
            lost_by=Cause.CONNECTION_LOST,
        )
    old = now() - timedelta(days=31)
    Outage.objects.create(terminal=terminal, began_at=old, ended_at=old, cause="planned", lost_by=Cause.REBOOT)

    seen = page(terminal.get_absolute_url())

    assert seen.text("outages").split("by cause ")[1] == (
        "Power or reboot once 5 min Network 2 times 2 min 30 s TMS once 20 s"
    )


# Terminals dropped by TMS


@pytest.fixture
def dropped(fleet) -> list:
    """Five terminals whose node restarted."""
    Membership("tms-1").join()
    terminals = [fleet.online(node="tms-1", at=now(), lease_s=LONG) for _ in range(5)]
    presence_sweep.orphan("tms-1", now())
    return terminals


def test_the_overview_shows_how_many_are_back(page, dropped):
    commit.write([Link(terminal).boot(at=now()) for terminal in dropped[:4]])

    result = page("/").text("dropped-terminals")

    assert result.startswith("TMS node tms-1 restarted 4 of 5 terminals reconnected")
    assert result.endswith("until the rest are marked offline")


def test_when_all_are_back_it_shows_nothing(page, dropped):
    commit.write([Link(terminal).boot(at=now()) for terminal in dropped])

    seen = page("/")

    assert seen.text("dropped-terminals") == ""
    assert is_hidden(seen, "dropped-terminals")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (NodeState.DRAINING, "TMS node tms-1 is stopping"),
        (NodeState.STOPPED, "TMS node tms-1 was stopped"),
        (NodeState.LOST, "TMS node tms-1 was lost"),
    ],
)
def test_it_shows_the_state_of_the_node(page, dropped, state, words):
    Node.objects.update(state=state)

    assert page("/").text("dropped-terminals").startswith(words)


def test_it_links_to_the_terminals_that_did_not_come_back(page, fleet, dropped, settings):
    commit.write([Link(terminal).boot(at=now()) for terminal in dropped[:3]])
    own = fleet.with_presence("offline")
    presence_sweep.sweep(now(settings.RECONNECT_GRACE_S + 1))

    seen = page("/")

    assert (
        seen.text("dropped-terminals") == "TMS node tms-1 restarted 2 of 5 terminals did not reconnect View terminals"
    )
    [address] = [link for link in seen.links() if "lost_with" in link]
    rows = page(address).rows("terminal-")
    assert rows == [f"terminal-{terminal.pk}" for terminal in dropped[3:]]
    assert f"terminal-{own.pk}" not in rows
