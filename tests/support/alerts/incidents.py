"""Terminals that are lost together, and the incident of their alerts."""

from collections.abc import Sequence

from tests.support.builders import FakeScheduler, Fleet, later
from tms.alerts.models import Alert, Incident
from tms.clock import presence_sweep
from tms.fleet.models import Cause, Presence, Terminal, TerminalState
from tms.fleet.presence import store
from tms.fleet.presence.state_machine import LinkStateChange


class Storm:
    """Terminals that are lost and return, and a clock that follows them."""

    def __init__(self, fleet: Fleet, scheduler: FakeScheduler) -> None:
        self.fleet = fleet
        self.scheduler = scheduler
        self.rule = fleet.presence_rule(severity="critical")

    def shop(self, code: str, number: int, **fields) -> list[Terminal]:
        return self.fleet.terminals_online(number, site=self.fleet.site(code), lease_s=1e6, **fields)

    def lose(self, terminals: Sequence[Terminal], *, seconds: float = 1) -> None:
        self._move(terminals, Presence.OFFLINE, Cause.DID_NOT_RETURN)
        self.scheduler.advance(seconds=seconds, step_s=max(1, seconds / 5))

    def bring_back(self, terminals: Sequence[Terminal], *, seconds: float = 1) -> None:
        self._move(terminals, Presence.ONLINE, Cause.NONE)
        self.scheduler.advance(seconds=seconds, step_s=max(1, seconds / 5))

    def _move(self, terminals: Sequence[Terminal], presence: Presence, cause: Cause) -> None:
        states = TerminalState.objects.in_bulk([terminal.pk for terminal in terminals])
        at = self.scheduler.at
        moves = [
            LinkStateChange(pk, at, state.presence, presence.value, cause.value, None, 1)
            for pk, state in states.items()
        ]
        TerminalState.objects.filter(pk__in=states).update(
            presence=presence, presence_at=at, cause=cause, due_at=None if presence == Presence.OFFLINE else later(1e6)
        )
        store.record(moves)
        presence_sweep.follow(moves)


def only_incident() -> Incident:
    return Incident.objects.get()


def transitions_of(incident: Incident) -> list[tuple[str, int]]:
    """Its history: kinds, and numbers of alerts."""
    return list(incident.transitions.values_list("kind", "number"))


def members_of(incident: Incident) -> int:
    return Alert.objects.unresolved().filter(incident=incident).count()
