"""How long what happens to alerts and incidents takes until open boards of this process are sent it."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta

from tms.alerts.models import TransitionKind
from tms.boards.pages.base import PageState
from tms.boards.rows.alerts import AlertRow, TransitionRow
from tms.boards.rows.incidents import IncidentRow, IncidentTransitionRow
from tms.feed.change import Change
from tms.metrics import slo
from tms.metrics.slo import Indicator

INDICATORS: Mapping[str, Indicator] = {
    TransitionKind.OPENED: Indicator.BOARD,
    TransitionKind.WORSENED: Indicator.BOARD,
    TransitionKind.ACKNOWLEDGED: Indicator.ACKNOWLEDGEMENT,
}
MOST_KEPT = 20_000
LATE = timedelta(seconds=10)
"""A transition is committed a while after its instant, and what boards are sent was read a while before."""

type Shown = tuple[type[AlertRow | IncidentRow], int]
"""A row: of what, and its primary key."""


class BoardLatency:
    """Remembers which transition of each was shown last, so that only its first sight counts."""

    def __init__(self) -> None:
        self._seen: dict[Shown, datetime] = {}
        self._sent_at: datetime | None = None
        """What happened before was seen then, or was no board's to show."""

    def sent(self, scenes: Iterable[tuple[PageState, bool]], change: Change, *, at: datetime) -> None:
        """`scenes` were sent `at`, after `change`; each with whether nobody had it before."""
        for page_state, is_first in scenes:
            if is_first or change.alerts or change.incidents or change.everything:
                for row, transition in _transitions(page_state):
                    self._see(row, transition, is_new=not is_first and self._is_new(row, transition, change), at=at)
        self._sent_at = at
        if len(self._seen) > MOST_KEPT:
            self._seen = dict(list(self._seen.items())[MOST_KEPT // 2 :])

    def _see(
        self, row: Shown, transition: TransitionRow | IncidentTransitionRow, *, is_new: bool, at: datetime
    ) -> None:
        before = self._seen.get(row)
        if before is not None and before >= transition.at:
            return
        self._seen[row] = transition.at
        if is_new and (indicator := INDICATORS.get(transition.kind)):
            slo.observe(indicator, (at - transition.at).total_seconds())

    def _is_new(self, row: Shown, transition: TransitionRow | IncidentTransitionRow, change: Change) -> bool:
        """A gap in the feed names none: then whatever happened since just before boards were sent anything is new."""
        of, pk = row
        if pk in (change.incidents if of is IncidentRow else change.alerts):
            return True
        return change.everything and self._sent_at is not None and transition.at > self._sent_at - LATE


def _transitions(page_state: PageState) -> Iterator[tuple[Shown, TransitionRow | IncidentTransitionRow]]:
    """The newest transition of each alert and incident that the scene shows."""
    for part in page_state.parts.values():
        row = part.values.get("alert") or part.values.get("incident")
        if isinstance(row, AlertRow | IncidentRow) and row.transitions:
            yield (type(row), row.pk), row.transitions[-1]
