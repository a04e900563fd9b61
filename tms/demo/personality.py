"""What kind of trouble a simulated terminal has, and which parts it has that can fail."""

from enum import StrEnum
from random import Random


class Personality(StrEnum):
    HEALTHY = "healthy"
    FLAKY = "flaky"
    """Its network drops every few minutes."""
    HOT = "hot"
    """It overheats, cools down, and overheats again."""
    THIRSTY = "thirsty"
    """It uses up its paper quickly."""
    RESTLESS = "restless"
    """It reboots now and then, and says goodbye before."""
    CRASHING = "crashing"
    """Its software crashes without a goodbye and restarts."""
    JAMMED = "jammed"
    """Its card reader fails now and then, and recovers."""


WEIGHTS = {
    Personality.HEALTHY: 83,
    Personality.FLAKY: 4,
    Personality.HOT: 3,
    Personality.THIRSTY: 4,
    Personality.RESTLESS: 3,
    Personality.CRASHING: 2,
    Personality.JAMMED: 1,
}

WITH_PAPER = frozenset({"payment", "kiosk"})
WITH_READER = frozenset({"payment", "kiosk", "gate"})


def personality_of(uid: str) -> Personality:
    """The same terminal has the same character at every start."""
    return Random(uid).choices(list(WEIGHTS), weights=list(WEIGHTS.values()))[0]
