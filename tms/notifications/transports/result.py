"""What an attempt to send can lead to."""

from enum import Enum
from typing import NamedTuple, Self

MAX_DETAIL = 500
MAX_REFERENCE = 200


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
    advice: str = ""
    """What an error of the other side means, and what to do."""
    reference: str = ""
    """The name by which the other side knows the message, for replies to it; at most `MAX_REFERENCE` characters."""
    is_gone: bool = False
    """The address does not exist any more, and will not come back."""

    @property
    def explained(self) -> str:
        """The detail and what it means, in one line."""
        return one_line(f"{self.detail} {self.advice}")

    @classmethod
    def delivered(cls, detail: str, *, reference: str = "") -> Self:
        return cls(SendOutcome.DELIVERED, one_line(detail), reference=reference[:MAX_REFERENCE])

    @classmethod
    def retry(
        cls, detail: str, *, retry_after_s: float | None = None, possibly_delivered: bool = False, advice: str = ""
    ) -> Self:
        return cls(SendOutcome.RETRY, one_line(detail), retry_after_s, possibly_delivered, advice)

    @classmethod
    def failed(cls, detail: str, *, advice: str = "") -> Self:
        return cls(SendOutcome.FAILED, one_line(detail), advice=advice)

    @classmethod
    def gone(cls, detail: str) -> Self:
        return cls(SendOutcome.FAILED, one_line(detail), is_gone=True)


def one_line(text: str) -> str:
    """Printable and short, so that any answer can be stored and shown."""
    words = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    return words if len(words) <= MAX_DETAIL else words[: MAX_DETAIL - 1] + "…"
