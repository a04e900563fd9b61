"""The party that is responsible for each cause of an outage."""

from datetime import timedelta

import pytest

from tests.support.builders import AT
from tms.availability.losses import LossReason, Party, PastOutage, Piece, alone, loss_of, pieces_of
from tms.fleet.models import Cause
from tms.fleet.models.outage import OutageCause


def outage(
    number: int = 1, *, terminal: int = 1, began_s: float = 0, lasted_s: float | None = 60, **fields
) -> PastOutage:
    began_at = AT + timedelta(seconds=began_s)
    ended_at = None if lasted_s is None else began_at + timedelta(seconds=lasted_s)
    known = {"cause": OutageCause.POWER.value, "lost_by": Cause.LEASE_RAN_OUT.value, "offline_at": None}
    return PastOutage(number, terminal, began_at, ended_at, **known | {"reports_sent": 0} | fields)


@pytest.mark.parametrize(
    ("cause", "lost_by", "is_alone", "loss", "party"),
    [
        ("network", "connection_lost", False, LossReason.NETWORK, Party.CARRIER),
        ("power", "lease_ran_out", False, LossReason.POWER, Party.SHOP),
        ("power", "lease_ran_out", True, LossReason.DEVICE, Party.DEVICE),
        ("application", "connection_lost", False, LossReason.APPLICATION, Party.APPLICATION),
        ("server", "node_stopped", False, LossReason.SERVER, Party.TMS),
        ("planned", "closing", False, LossReason.SWITCHED_OFF, Party.SHOP),
        ("planned", "shutdown", False, LossReason.SWITCHED_OFF, Party.SHOP),
        ("planned", "reboot", False, LossReason.RESTART, Party.APPLICATION),
        ("planned", "update", False, LossReason.RESTART, Party.APPLICATION),
        ("unclear", "lease_ran_out", False, LossReason.UNCLEAR, Party.UNKNOWN),
        ("", "lease_ran_out", False, LossReason.UNCLEAR, Party.UNKNOWN),
    ],
)
def test_each_cause_has_its_party(cause, lost_by, is_alone, loss, party):
    found = loss_of(cause, lost_by=lost_by, is_alone=is_alone)

    assert (found, found.party) == (loss, party)


def test_power_is_lost_together_by_terminals_that_lost_it_within_two_minutes():
    outages = [outage(1), outage(2, terminal=2, began_s=90), outage(3, terminal=3, began_s=400)]

    assert alone(outages) == {3}


def test_a_terminal_that_restarts_twice_is_alone():
    assert alone([outage(1), outage(2, began_s=80)]) == {1, 2}


def test_another_cause_at_the_same_time_is_not_shared_power():
    assert alone([outage(1), outage(2, terminal=2, cause="network")]) == {1}


def test_what_tms_began_is_counted_to_tms_until_the_terminal_was_offline():
    lost_with_node = outage(
        lasted_s=300, cause="network", lost_by=Cause.NODE_LOST.value, offline_at=AT + timedelta(seconds=90)
    )

    found = list(pieces_of(lost_with_node, is_alone=False, until=AT + timedelta(hours=1)))

    start = int(AT.timestamp())
    assert found == [Piece(start, start + 90, LossReason.SERVER), Piece(start + 90, start + 300, LossReason.NETWORK)]


def test_an_open_outage_lasts_until_the_end_of_the_day_without_a_cause():
    away = outage(lasted_s=None, cause="", reports_sent=None)

    found = list(pieces_of(away, is_alone=False, until=AT + timedelta(hours=1)))

    start = int(AT.timestamp())
    assert found == [Piece(start, start + 3_600, LossReason.UNCLEAR)]
