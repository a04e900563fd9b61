from enum import Enum
from typing import NamedTuple, Self

MOST_SAID = 500


class SendOutcome(Enum):
    TAKEN = "taken"
    LATER = "later"
    """Not now: to be tried again."""
    NEVER = "never"
    """It would be refused again however often it was tried."""


class SendResult(NamedTuple):
    """What came of one attempt."""

    outcome: SendOutcome
    said: str
    retry_after_s: float | None = None
    may_have_arrived: bool = False
    """Nobody knows whether the other side has it."""

    @classmethod
    def taken(cls, said: str) -> Self:
        return cls(SendOutcome.TAKEN, one_line(said))

    @classmethod
    def later(cls, said: str, *, retry_after_s: float | None = None, may_have_arrived: bool = False) -> Self:
        return cls(SendOutcome.LATER, one_line(said), retry_after_s, may_have_arrived)

    @classmethod
    def never(cls, said: str) -> Self:
        return cls(SendOutcome.NEVER, one_line(said))


def one_line(said: str) -> str:
    """As it may be kept and shown, whatever the other side answered."""
    words = " ".join("".join(char if char.isprintable() else " " for char in said).split())
    return words if len(words) <= MOST_SAID else words[: MOST_SAID - 1] + "…"
