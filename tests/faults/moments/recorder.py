"""Records moments: the state of the fleet at an instant, and which rows of the history were committed by then."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max

from tests.faults.moments.fleet_state import FleetState, differences, in_database, replayed
from tests.faults.moments.visibility import CommittedRows
from tms.alerts.models import IncidentTransition, MembershipChange, Transition
from tms.fleet.models import PresenceChange
from tms.lib.db.clock import database_clock
from tms.lib.db.consistent_read import consistent_read
from tms.replay.state import Moment

NEWEST = 100
"""Rows among which the one with the newest instant is."""
SETTLED = timedelta(seconds=10)
"""The transactions that were in progress at a moment have ended."""


@dataclass(frozen=True, slots=True)
class RecordedMoment:
    at: datetime
    state: FleetState
    committed: CommittedRows

    def differences(self, *, now: datetime) -> list[str]:
        """How its replay differs, at `now`: not at all, if replays are right."""
        return list(differences(self.state, replayed(Moment(self.at, now=now, visibility=self.committed))))


def record() -> RecordedMoment:
    with consistent_read():
        state, committed = in_database(), CommittedRows.read()
        return RecordedMoment(_instant(), state, committed)


def _instant() -> datetime:
    """Now, or the newest instant of a change, if the clock of its writer was ahead."""
    newest = (model._default_manager.aggregate(at=Max("at"))["at"] for model in (PresenceChange, Transition))
    instants: list[datetime] = [database_clock(), *filter(None, newest)]
    for model in (IncidentTransition, MembershipChange):  # without an index by instant
        instants += model._default_manager.order_by("-pk").values_list("at", flat=True)[:NEWEST]
    return max(instants)
