"""The models of rollouts. Django finds them here; other apps import them from here."""

from tms.rollouts.models.event import RolloutEvent, RolloutEventKind
from tms.rollouts.models.item import ATTENTION, OPEN_ITEMS, RolloutItem, RolloutItemState
from tms.rollouts.models.rollout import (
    OPEN_ROLLOUTS,
    ApprovalRule,
    LateTerminals,
    PostponedThen,
    Rollout,
    RolloutArtifact,
    RolloutKind,
    RolloutState,
)
from tms.rollouts.models.watching import EvidencePoint, TerminalEffect, TerminalFault, WatchedSite, Watching
from tms.rollouts.models.wave import Wave, WaveKind, WaveState

__all__ = [
    "ATTENTION",
    "OPEN_ITEMS",
    "OPEN_ROLLOUTS",
    "ApprovalRule",
    "EvidencePoint",
    "LateTerminals",
    "PostponedThen",
    "Rollout",
    "RolloutArtifact",
    "RolloutEvent",
    "RolloutEventKind",
    "RolloutItem",
    "RolloutItemState",
    "RolloutKind",
    "RolloutState",
    "TerminalEffect",
    "TerminalFault",
    "WatchedSite",
    "Watching",
    "Wave",
    "WaveKind",
    "WaveState",
]
