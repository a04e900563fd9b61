"""What TMS promises of being live, and how each promise was kept. Every stage is observed where it ends."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from django.conf import settings

from tms.metrics import instruments

SLACK_S = 5.0
"""What sweeping, and noticing that a node is lost, may add to the seconds of the settings."""


class Indicator(StrEnum):
    OFFLINE = "offline"
    """From a terminal's last frame until it is called offline."""
    BOARD = "board"
    """From what opens an alert, or makes it worse, until its row is sent to open boards."""
    NOTIFICATION = "notification"
    """From a transition of an alert until a destination has taken the notification of it."""
    ACKNOWLEDGEMENT = "acknowledgement"
    """From an acknowledgement until it is sent to open boards."""


class SloOutcome(StrEnum):
    KEPT = "kept"
    MISSED = "missed"


TARGET_S: Mapping[Indicator, float] = MappingProxyType(
    {Indicator.BOARD: 1.0, Indicator.NOTIFICATION: 10.0, Indicator.ACKNOWLEDGEMENT: 1.0}
)
"""That of `OFFLINE` follows from the settings."""


def offline_within_s(*, is_ours: bool = False) -> float:
    """`is_ours`: TMS caused the silence, so that the terminal has the reconnect grace."""
    wait_s = settings.RECONNECT_GRACE_S if is_ours else settings.OFFLINE_AFTER_S
    return float(settings.HEARTBEAT_S + settings.LEASE_GRACE_S + wait_s + SLACK_S)


def target_s(stage: Indicator) -> float:
    return TARGET_S.get(stage) or offline_within_s()


def observe(stage: Indicator, seconds: float, *, promised_s: float | None = None) -> None:
    """Clocks that differ by a little make nothing negative."""
    limit = TARGET_S[stage] if promised_s is None else promised_s
    outcome = SloOutcome.KEPT if seconds <= limit else SloOutcome.MISSED
    instruments.OBJECTIVE_SECONDS.labels(stage.value, outcome.value).observe(max(0.0, seconds))


for each in Indicator:  # whoever looks for a rise must see from where
    for outcome in SloOutcome:
        instruments.OBJECTIVE_SECONDS.labels(each.value, outcome.value)
