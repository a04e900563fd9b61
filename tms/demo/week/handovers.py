"""Notes for the next shift in the demo's week."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tms.accounts.models import User
from tms.demo.week.losses import DAYS, Loss
from tms.shifts.models import Note

SHIFT = timedelta(hours=8)
QUIET = (
    "Quiet shift, nothing open.",
    "異常なし。引き継ぎ事項はありません。",
    "Two kiosks ran out of paper; shops replaced it.",
)


def write_notes(losses: Sequence[Loss], people: Sequence[User], *, at: datetime) -> None:
    """One at the end of each shift, about the sites that were lost during it."""
    count = int(timedelta(days=DAYS) / SHIFT)
    ends = [at - number * SHIFT - timedelta(minutes=10) for number in range(1, count)]
    Note.objects.bulk_create(
        Note(by=people[number % len(people)], at=end, text=_text(losses, end, number))
        for number, end in enumerate(ends)
    )


def _text(losses: Sequence[Loss], end: datetime, number: int) -> str:
    lost = [loss for loss in losses if loss.site and end - SHIFT <= loss.began_at < end]
    lines = [f"{loss.site} was offline for {_minutes(loss)} min. {loss.comment}." for loss in lost]
    return "\n".join(lines) or QUIET[number % len(QUIET)]


def _minutes(loss: Loss) -> int:
    return round((loss.ended_at - loss.began_at).total_seconds() / 60)
