"""Records what boards have been sent, if `TMS_REPLAY_RECORD_S` is set."""

from datetime import datetime
from enum import StrEnum

import msgspec
from django.conf import settings
from django.db.models import Max

from tms.alerts.models import IncidentTransition, MembershipChange, Transition
from tms.fleet.models import PresenceChange
from tms.lib.db.clock import database_clock
from tms.lib.db.consistent_read import consistent_read
from tms.metrics import instruments
from tms.replay.models import RecordedMoment
from tms.replay.recorded.shown_state import Existed, ShownState, Totals, in_database
from tms.replay.visibility import Visibility

NEWEST = 100
"""Rows among which the one with the newest instant is."""


class RecordOutcome(StrEnum):
    RECORDED = "recorded"
    UNSETTLED = "unsettled"
    """The boards had not been sent everything that was committed: try again."""


def record(totals: Totals, *, are_wrong: bool = False) -> RecordOutcome:
    """Record the `totals` that the boards of this process have been sent, with the alerts and incidents.

    While something is on its way to the boards, they differ from the database for an instant, and nothing is recorded.
    If they `are_wrong`, their numbers are recorded all the same: the comparison shows it.
    """
    with consistent_read():
        stored, visibility, at = in_database(), Visibility.read(), _instant()
    outcome = RecordOutcome.RECORDED if stored.totals == totals or are_wrong else RecordOutcome.UNSETTLED
    instruments.REPLAY_MOMENTS.labels(outcome.value).inc()
    if outcome is RecordOutcome.RECORDED:
        shown = ShownState(totals, stored.alerts, stored.incidents)
        existed = Existed(sum(stored.totals.presences.values()), sorted(shown.people))
        RecordedMoment.objects.create(
            at=at,
            node=settings.NODE,
            digest=shown.digest,
            shown=shown.stored,
            existed=msgspec.to_builtins(existed),
            visible=visibility.stored,
        )
    return outcome


def _instant() -> datetime:
    """Now, or the newest instant of a change, if the clock of its writer was ahead."""
    newest = (model._default_manager.aggregate(at=Max("at"))["at"] for model in (PresenceChange, Transition))
    instants: list[datetime] = [database_clock(), *filter(None, newest)]
    for model in (IncidentTransition, MembershipChange):  # without an index by instant
        instants += model._default_manager.order_by("-pk").values_list("at", flat=True)[:NEWEST]
    return max(instants)
