"""Reads what became of updated and waiting terminals, and keeps the evidence of a rollout."""

from datetime import datetime
from typing import NamedTuple

from tms.rollouts.effects.decision import Action
from tms.rollouts.models import Rollout


class Evaluation(NamedTuple):
    evidence: float | None = None
    """None if nothing was compared yet."""
    action: Action = Action.GO_ON
    is_enough: bool = False


def evaluate(rollout: Rollout, *, at: datetime) -> Evaluation:
    return Evaluation()
