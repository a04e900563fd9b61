"""What a person may do with a rollout now. What may not be done is absent from its page."""

from dataclasses import dataclass
from typing import Self

from tms.accounts.models import User
from tms.rollouts import services
from tms.rollouts.models import Rollout, RolloutState, Wave
from tms.rollouts.pages.progress import ItemCounts

S = RolloutState
GOING = (S.RUNNING, S.HELD)
ENDED = (S.FINISHED, S.CANCELLED, S.EXPIRED)


@dataclass(frozen=True, slots=True)
class Allowed:
    pause: bool = False
    resume: bool = False
    start: bool = False
    discard: bool = False
    stop: bool = False
    approve: bool = False
    retry: bool = False
    confirm: bool = False
    roll_back: bool = False
    go_on: bool = False

    @classmethod
    def of(cls, rollout: Rollout, wave: Wave | None, counts: ItemCounts, *, to: User) -> Self:
        """`wave`: the next one."""
        if not services.may_control(to, rollout):
            return cls()
        is_open = rollout.state in (S.PLANNED, S.PAUSED, *GOING)
        return cls(
            pause=rollout.state in (S.PLANNED, *GOING),
            resume=rollout.state == S.PAUSED,
            start=rollout.state == S.DRAFT,
            discard=rollout.state == S.DRAFT,
            stop=is_open or rollout.state == S.STOPPED,
            approve=wave is not None and services.may_approve(to, wave),
            retry=is_open or rollout.state == S.STOPPED,
            confirm=counts.attention > 0,
            roll_back=_can_roll_back(rollout, counts),
            go_on=rollout.state == S.STOPPED,
        )


def _can_roll_back(rollout: Rollout, counts: ItemCounts) -> bool:
    if rollout.rolls_back_id or not counts.updated:
        return False
    return rollout.state in (S.STOPPED, S.PAUSED, *GOING, *ENDED) and not rollout.rollbacks.exists()
