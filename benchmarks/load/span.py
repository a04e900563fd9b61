"""The time in which a measurement counts."""

import time
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """The measured span, from `begin_at` to `end_at`: `time.monotonic()`, which all processes of a machine share."""

    begin_at: float
    end_at: float

    def __contains__(self, at: float) -> bool:
        return self.begin_at <= at < self.end_at

    @property
    def seconds(self) -> float:
        return self.end_at - self.begin_at

    @classmethod
    def after(cls, warm_up_s: float, *, seconds: float) -> "Span":
        begin_at = time.monotonic() + warm_up_s
        return cls(begin_at, begin_at + seconds)


NEVER = Span(0, 0)
