"""Latency from a transition of an alert or incident until it is sent to the open boards of this process."""

from collections.abc import Iterator, Mapping
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
MAX_ROWS = 20_000
MAX_COMMIT_DELAY = timedelta(seconds=10)
"""A transition is committed after its instant, and the state of a page is read before it is sent."""

type Shown = tuple[type[AlertRow | IncidentRow], int]
"""A row: its type and primary key."""


class BoardLatency:
    """Remembers the latest transition shown of each row, so that each transition is measured once."""

    def __init__(self) -> None:
        self._shown_at: dict[Shown, datetime] = {}
        self._sent_at: datetime | None = None
        """Earlier transitions were shown before this, or no board showed them."""

    def observe(self, page_state: PageState, change: Change, *, is_first: bool, at: datetime) -> None:
        """Measure the transitions of a page that was sent `at` after `change`, perhaps for the first time."""
        if is_first or change.alerts or change.incidents or change.everything:
            for row, transition in _transitions(page_state):
                self._observe(row, transition, is_new=not is_first and self._is_new(row, transition, change), at=at)

    def note_sent(self, *, at: datetime) -> None:
        """All pages that are due were sent."""
        self._sent_at = at
        if len(self._shown_at) > MAX_ROWS:
            self._shown_at = dict(list(self._shown_at.items())[MAX_ROWS // 2 :])

    def _observe(
        self, row: Shown, transition: TransitionRow | IncidentTransitionRow, *, is_new: bool, at: datetime
    ) -> None:
        before = self._shown_at.get(row)
        if before is not None and before >= transition.at:
            return
        self._shown_at[row] = transition.at
        if is_new and (indicator := INDICATORS.get(transition.kind)):
            slo.observe(indicator, (at - transition.at).total_seconds())

    def _is_new(self, row: Shown, transition: TransitionRow | IncidentTransitionRow, change: Change) -> bool:
        """A page may be read before the change of one of its rows arrives, and after a gap `change` names no rows. So
        every transition since shortly before the last frame counts as new.
        """
        of, pk = row
        if pk in (change.incidents if of is IncidentRow else change.alerts):
            return True
        return self._sent_at is not None and transition.at > self._sent_at - MAX_COMMIT_DELAY


def _transitions(page_state: PageState) -> Iterator[tuple[Shown, TransitionRow | IncidentTransitionRow]]:
    """The latest transition of each alert and incident on the page."""
    for part in page_state.parts.values():
        row = part.values.get("alert") or part.values.get("incident")
        if isinstance(row, AlertRow | IncidentRow) and row.transitions:
            yield (type(row), row.pk), row.transitions[-1]
