from enum import Enum
from typing import NamedTuple, Self

MAX_DETAIL = 500


class SendOutcome(Enum):
    DELIVERED = "delivered"
    RETRY = "retry"
    """Temporary: try again later."""
    FAILED = "failed"
    """Permanent: another attempt would fail in the same way."""


class SendResult(NamedTuple):
    """The result of one attempt."""

    outcome: SendOutcome
    detail: str
    """What the other side answered, or what went wrong: one line for people."""
    retry_after_s: float | None = None
    possibly_delivered: bool = False
    """Unknown whether the other side has it."""

    @classmethod
    def delivered(cls, detail: str) -> Self:
        return cls(SendOutcome.DELIVERED, one_line(detail))

    @classmethod
    def retry(cls, detail: str, *, retry_after_s: float | None = None, possibly_delivered: bool = False) -> Self:
        return cls(SendOutcome.RETRY, one_line(detail), retry_after_s, possibly_delivered)

    @classmethod
    def failed(cls, detail: str) -> Self:
        return cls(SendOutcome.FAILED, one_line(detail))


def one_line(text: str) -> str:
    """Printable and short, so that any answer can be stored and shown."""
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return words if len(words) <= MAX_DETAIL else words[: MAX_DETAIL - 1] + "…"
