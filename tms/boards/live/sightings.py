"""How long what happens to an alert takes until open boards of this process are sent it: the published objective."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from tms.alerts.models import TransitionKind
from tms.boards.alert_rows import AlertRow, Step
from tms.boards.pages.base import Scene
from tms.live import objective
from tms.live.change import Change
from tms.live.objective import Stage

STAGES: Mapping[str, Stage] = {
    TransitionKind.OPENED: Stage.BOARD,
    TransitionKind.WORSENED: Stage.BOARD,
    TransitionKind.ACKNOWLEDGED: Stage.ACKNOWLEDGEMENT,
}
MOST_KEPT = 20_000


class Sightings:
    """Remembers which step of each alert was shown last, so that only its first sight counts."""

    def __init__(self) -> None:
        self._seen: dict[int, datetime] = {}
        self._sent_at: datetime | None = None
        """What happened before was seen then, or was no board's to show."""

    def sent(self, scenes: Iterable[tuple[Scene, bool]], change: Change, *, at: datetime) -> None:
        """`scenes` were sent `at`, after `change`; each with whether nobody had it before."""
        for scene, is_first in scenes:
            if is_first or change.alerts or change.everything:
                for alert, step in _steps(scene):
                    self._see(alert, step, is_new=not is_first and self._is_new(alert, step, change), at=at)
        self._sent_at = at
        if len(self._seen) > MOST_KEPT:
            self._seen = dict(list(self._seen.items())[MOST_KEPT // 2 :])

    def _see(self, alert: int, step: Step, *, is_new: bool, at: datetime) -> None:
        before = self._seen.get(alert)
        if before is not None and before >= step.at:
            return
        self._seen[alert] = step.at
        if is_new and (stage := STAGES.get(step.kind)):
            objective.observe(stage, (at - step.at).total_seconds())

    def _is_new(self, alert: int, step: Step, change: Change) -> bool:
        """A gap in the feed names no alert: then whatever happened since boards were sent anything is new."""
        if alert in change.alerts:
            return True
        return change.everything and self._sent_at is not None and step.at > self._sent_at


def _steps(scene: Scene) -> Iterator[tuple[int, Step]]:
    """The newest step of each alert that the scene shows."""
    for part in scene.parts.values():
        alert = part.values.get("alert")
        if isinstance(alert, AlertRow) and alert.steps:
            yield alert.pk, alert.steps[-1]
