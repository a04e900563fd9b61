"""The service level objective: its indicators and their targets. Each indicator is observed where it ends."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from django.conf import settings

from tms.metrics import instruments

SLACK_S = 5.0
"""Added to the settings for the sweep and for noticing a lost node."""


class Indicator(StrEnum):
    OFFLINE = "offline"
    """Time from a terminal's last frame until it is offline."""
    BOARD = "board"
    """Time from an event that opens or worsens an alert until its row is sent to open boards."""
    NOTIFICATION = "notification"
    """Time from a transition of an alert until a destination has accepted its notification."""
    ACKNOWLEDGEMENT = "acknowledgement"
    """Time from an acknowledgement until it is sent to open boards."""
    RIGHTS = "rights"
    """Time from a change of a person's rights until their open boards are closed, to be loaded again."""


class SloOutcome(StrEnum):
    MET = "kept"
    MISSED = "missed"


TARGET_S: Mapping[Indicator, float] = MappingProxyType(
    {Indicator.BOARD: 1.0, Indicator.NOTIFICATION: 10.0, Indicator.ACKNOWLEDGEMENT: 1.0, Indicator.RIGHTS: 2.0}
)
"""The target of `OFFLINE` follows from the settings."""


def offline_within_s(*, is_caused_by_tms: bool = False) -> float:
    """`is_caused_by_tms`: TMS caused the silence, so the terminal has the reconnect grace."""
    wait_s = settings.RECONNECT_GRACE_S if is_caused_by_tms else settings.OFFLINE_AFTER_S
    return float(settings.HEARTBEAT_S + settings.LEASE_GRACE_S + wait_s + SLACK_S)


def target_s(indicator: Indicator) -> float:
    return TARGET_S.get(indicator) or offline_within_s()


def observe(indicator: Indicator, seconds: float, *, target_s: float | None = None) -> None:
    """A small difference between clocks counts as 0."""
    limit = TARGET_S[indicator] if target_s is None else target_s
    outcome = SloOutcome.MET if seconds <= limit else SloOutcome.MISSED
    instruments.SLO_SECONDS.labels(indicator.value, outcome.value).observe(max(0.0, seconds))


for each in Indicator:  # an increase can only be seen from an existing series
    for outcome in SloOutcome:
        instruments.SLO_SECONDS.labels(each.value, outcome.value)
