"""The cause of an outage."""

from dataclasses import replace

import pytest

from tests.support.builders import later
from tms.fleet.models import Cause
from tms.fleet.models.outage import OutageCause
from tms.fleet.presence.outage_causes import Evidence, Reboot, Return, cause_of, corrected
from tms.fleet.presence.state_machine import Timing

TIMING = Timing(
    heartbeat_s=30,
    lease_grace_s=15,
    offline_after_s=30,
    reboot_allowance_s=300,
    reconnect_grace_s=90,
    longest_goodbye_s=86_400,
)

BROKEN = Evidence(Cause.CONNECTION_LOST, away_s=240, silent_s=260, has_restarted=False, has_ever_reported=True)
"""The connection broke, and four minutes later the same boot is back."""
REBOOTED = replace(BROKEN, has_restarted=True)
DROPPED = replace(BROKEN, lost_by=Cause.NODE_LOST, away_s=20)
RESUMED = replace(BROKEN, lost_by=Cause.LEASE_RAN_OUT, has_restarted=None)

TABLE = [
    # The same boot
    ("it went on reporting", replace(BROKEN, reports_made=8), OutageCause.NETWORK),
    ("it never reports: only beats", replace(BROKEN, has_ever_reported=False, reports_made=0), OutageCause.NETWORK),
    ("its software does not number", replace(BROKEN, reports_made=None), OutageCause.NETWORK),
    ("it was away too shortly to report", replace(BROKEN, away_s=89, reports_made=0), OutageCause.NETWORK),
    ("it made none, though it always does", replace(BROKEN, away_s=90, reports_made=0), OutageCause.UNCLEAR),
    ("any uptime", replace(BROKEN, reports_made=8, uptime_s=5), OutageCause.NETWORK),
    # Another boot
    ("started after its last report", replace(REBOOTED, uptime_s=200), OutageCause.POWER),
    ("up since it fell silent, which TMS noticed later", replace(REBOOTED, uptime_s=259), OutageCause.POWER),
    ("started before its last report", replace(REBOOTED, uptime_s=261), OutageCause.APPLICATION),
    ("up for weeks", replace(REBOOTED, uptime_s=3e6), OutageCause.APPLICATION),
    ("no uptime", replace(REBOOTED, uptime_s=None), OutageCause.UNCLEAR),
    # A node of TMS
    ("the node was lost", DROPPED, OutageCause.SERVER),
    ("the node restarted", replace(DROPPED, lost_by=Cause.NODE_STOPPED), OutageCause.SERVER),
    ("TMS was away for a day", replace(DROPPED, away_s=86_400), OutageCause.SERVER),
    ("back within as much again as the grace", replace(DROPPED, offline_s=90), OutageCause.SERVER),
    ("back much later, and reported meanwhile", replace(DROPPED, offline_s=91, reports_made=9), OutageCause.NETWORK),
    ("the device rebooted meanwhile", replace(DROPPED, has_restarted=True, uptime_s=9), OutageCause.POWER),
    ("its software did", replace(DROPPED, has_restarted=True, uptime_s=9e5), OutageCause.APPLICATION),
    # The same link
    ("TMS stored late what it had received", replace(RESUMED, was_stored_late=True), OutageCause.SERVER),
    ("it said nothing over its open link", RESUMED, OutageCause.APPLICATION),
    # A goodbye
    ("it said it would reboot", replace(REBOOTED, lost_by=Cause.REBOOT, uptime_s=9), OutageCause.PLANNED),
    ("it was shut down for the night", replace(REBOOTED, lost_by=Cause.SHUTDOWN), OutageCause.PLANNED),
    ("it closed, with the same boot", replace(BROKEN, lost_by=Cause.CLOSING), OutageCause.PLANNED),
    ("it was updated", replace(REBOOTED, lost_by=Cause.UPDATE, uptime_s=3e6), OutageCause.PLANNED),
]


@pytest.mark.parametrize(("evidence", "cause"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_cause_of_an_outage_is_derived_on_return(evidence, cause):
    assert cause_of(evidence, timing=TIMING) is cause


@pytest.mark.parametrize(
    ("lost_by", "has_restarted", "sent", "cause"),
    [
        (Cause.CONNECTION_LOST, True, 2, OutageCause.NETWORK),
        (Cause.LEASE_RAN_OUT, True, 90, OutageCause.NETWORK),
        (Cause.CONNECTION_LOST, True, 1, OutageCause.POWER),
        (Cause.CONNECTION_LOST, False, 9, OutageCause.POWER),
        (Cause.NODE_LOST, True, 9, OutageCause.POWER),
        (Cause.REBOOT, True, 9, OutageCause.POWER),
    ],
)
def test_a_reboot_to_repair_the_network_is_a_network_outage(lost_by, has_restarted, sent, cause):
    """The cause follows from the reports that the previous boot made without a link; one may have been in transit
    when it ended.
    """
    result = corrected(OutageCause.POWER, lost_by=lost_by, has_restarted=has_restarted, sent_by_former_boot=sent)

    assert result == cause


BACK = Return(1, later(300), "offline", later(90), later(20), "boot-1", 40, Reboot("boot-1", 7_000, 48))


def test_a_return_contains_how_long_it_was_away_silent_and_offline():
    evidence = BACK.evidence(lost_by=Cause.CONNECTION_LOST, began_at=later(60))

    assert (evidence.away_s, evidence.silent_s, evidence.offline_s) == (240, 280, 210)
    assert (evidence.has_restarted, evidence.uptime_s, evidence.reports_made) == (False, 7_000, 8)


def test_the_report_numbers_of_another_boot_are_not_used():
    back = replace(BACK, boot=Reboot("boot-2", 0, 3))

    evidence = back.evidence(lost_by=Cause.CONNECTION_LOST, began_at=later(60))

    assert (evidence.has_restarted, evidence.uptime_s, evidence.reports_made) == (True, None, None)


@pytest.mark.parametrize(("was", "at", "late"), [("silent", 30, True), ("silent", 60, False), ("offline", 30, True)])
def test_a_frame_received_before_the_silence_was_noticed_was_stored_late(was, at, late):
    back = replace(BACK, boot=None, was=was, was_since=later(50), at=later(at))

    evidence = back.evidence(lost_by=Cause.LEASE_RAN_OUT, began_at=later(5))

    assert (evidence.has_restarted, evidence.was_stored_late) == (None, late)
