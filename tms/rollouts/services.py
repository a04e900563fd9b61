"""What people do with rollouts. Each service is idempotent, in one transaction, and in the audit trail."""

from tms.rollouts.control import (
    RolloutOver,
    cancel,
    confirm,
    continue_stopped,
    demand_control,
    may_control,
    pause,
    resume,
    retry,
    stop,
)
from tms.rollouts.events import counts_of, record_event
from tms.rollouts.planning import create, discard, draft, members_of, plan, save_draft
from tms.rollouts.rolling_back import RollBack, roll_back, roll_back_of
from tms.rollouts.values import RolloutRefused, RolloutValues, WaveValues
from tms.rollouts.waves.approval import MayNotApprove, approve_wave, ask_approval, may_approve

__all__ = [
    "MayNotApprove",
    "RollBack",
    "RolloutOver",
    "RolloutRefused",
    "RolloutValues",
    "WaveValues",
    "approve_wave",
    "ask_approval",
    "cancel",
    "confirm",
    "continue_stopped",
    "counts_of",
    "create",
    "demand_control",
    "discard",
    "draft",
    "may_approve",
    "may_control",
    "members_of",
    "pause",
    "plan",
    "record_event",
    "resume",
    "retry",
    "roll_back",
    "roll_back_of",
    "save_draft",
    "stop",
]
