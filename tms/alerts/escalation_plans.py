"""Who was notified of an incident, who is next and when.

Notifications import alerts, not the other way round: the app that escalates registers a source here.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import chain
from typing import NamedTuple

from tms.accounts.scope import EVERYTHING, Scope


class PlannedStep(NamedTuple):
    """One escalation step."""

    to: tuple[str, ...]
    """Names of the destinations that it reached, or would reach now."""
    at: datetime | None
    """When it was taken, or is due; None if nothing is due."""
    is_taken: bool
    is_next: bool
    missed: tuple[tuple[str, str], ...] = ()
    """Whom it names and would not reach now, and why."""

    @property
    def recipients(self) -> str:
        return ", ".join(self.to)


class EscalationPlan(NamedTuple):
    """The escalation of one policy."""

    policy: str
    url: str
    steps: tuple[PlannedStep, ...]

    @property
    def next_step(self) -> PlannedStep | None:
        return next((step for step in self.steps if step.is_next and step.at), None)


type PlanSource = Callable[[int, Scope, datetime], Iterable[EscalationPlan]]

_sources: list[PlanSource] = []


def register_source(source: PlanSource) -> None:
    """`source` finds the escalations of an incident by its primary key, by policies that a scope shows.

    Call it once, when the app is ready.
    """
    _sources.append(source)


def plans_of(incident_id: int, scope: Scope = EVERYTHING, *, at: datetime) -> tuple[EscalationPlan, ...]:
    """The one that is due next comes first."""
    found = list(chain.from_iterable(source(incident_id, scope, at) for source in _sources))
    return tuple(sorted(found, key=_due))


def _due(plan: EscalationPlan) -> tuple[bool, float, str]:
    step = plan.next_step
    return step is None, step.at.timestamp() if step and step.at else 0.0, plan.policy
