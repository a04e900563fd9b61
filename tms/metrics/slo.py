"""What TMS promises of being live, and how each promise was kept. Every stage is observed where it ends."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from django.conf import settings

from tms.metrics import instruments

SLACK_S = 5.0
"""What sweeping, and noticing that a node is lost, may add to the seconds of the settings."""


class Stage(StrEnum):
    OFFLINE = "offline"
    """From a terminal's last frame until it is called offline."""
    BOARD = "board"
    """From what opens an alert, or makes it worse, until its row is sent to open boards."""
    NOTIFICATION = "notification"
    """From a transition of an alert until a destination has taken the notification of it."""
    ACKNOWLEDGEMENT = "acknowledgement"
    """From an acknowledgement until it is sent to open boards."""


class Outcome(StrEnum):
    KEPT = "kept"
    MISSED = "missed"


PROMISED_S: Mapping[Stage, float] = MappingProxyType(
    {Stage.BOARD: 1.0, Stage.NOTIFICATION: 10.0, Stage.ACKNOWLEDGEMENT: 1.0}
)
"""That of `OFFLINE` follows from the settings."""


def offline_within_s(*, is_ours: bool = False) -> float:
    """`is_ours`: TMS caused the silence, so that the terminal has the reconnect grace."""
    wait_s = settings.RECONNECT_GRACE_S if is_ours else settings.OFFLINE_AFTER_S
    return float(settings.HEARTBEAT_S + settings.LEASE_GRACE_S + wait_s + SLACK_S)


def promised_s(stage: Stage) -> float:
    return PROMISED_S.get(stage) or offline_within_s()


def observe(stage: Stage, seconds: float, *, promised_s: float | None = None) -> None:
    """Clocks that differ by a little make nothing negative."""
    limit = PROMISED_S[stage] if promised_s is None else promised_s
    outcome = Outcome.KEPT if seconds <= limit else Outcome.MISSED
    instruments.OBJECTIVE_SECONDS.labels(stage.value, outcome.value).observe(max(0.0, seconds))


for each in Stage:  # whoever looks for a rise must see from where
    for outcome in Outcome:
        instruments.OBJECTIVE_SECONDS.labels(each.value, outcome.value)
