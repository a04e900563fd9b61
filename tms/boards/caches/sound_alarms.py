"""Sound alarms: unacknowledged alerts and incidents that nothing suppresses."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models import Max

from tms.alerts.correlation import unresolved
from tms.alerts.models import Alert, AlertState, Incident, IncidentState, IncidentTransition, Transition, TransitionKind
from tms.alerts.suppression.reasons import suppressions
from tms.feed.cache import FeedCache
from tms.feed.change import Change
from tms.lib.per_process import per_process
from tms.lib.severity import Severity

MAX_ALARMS = 100
SUPPRESSED_STALE_S = 5.0
"""While something is suppressed: an alert waits only seconds to become part of an incident."""
STALE_S = 30.0
"""Maintenance and opening hours end without a change on the feed."""
SOUNDING = TransitionKind.leading_to(AlertState.OPEN) | {TransitionKind.WORSENED}
"""Transitions that sound an alarm. Those of an incident have the same names."""

type SoundAlarms = dict[str, str]
"""By severity: marks separated by spaces. An alert that sounds again has a new mark.

Critical alarms sound until acknowledged, so each alert has a mark. The other severities have only the newest one, which
keeps frames short.
"""


class AlarmCache(FeedCache[SoundAlarms, [datetime]]):
    min_interval_s = 1.0
    """The first alarm sounds at once. In a storm, loading them for each pass is a quarter of the boards' work."""

    def is_relevant(self, change: Change) -> bool:
        return bool(change.alerts or change.incidents or change.everything)

    def load(self, at: datetime) -> SoundAlarms:
        alarms, has_suppressed = _sound_alarms(at)
        self.stale_s = SUPPRESSED_STALE_S if has_suppressed else STALE_S
        return alarms


class AlarmSource(NamedTuple):
    """Unacknowledged alerts or incidents."""

    letter: str
    history: type[Transition] | type[IncidentTransition]
    column: str
    severities: Mapping[int, str]
    """By primary key."""
    silent: Collection[int]
    """Those that are suppressed now."""

    def marks(self) -> dict[str, list[str]]:
        """By severity, latest alarm last."""
        marks: dict[str, list[str]] = {}
        sounding = self.severities.keys() - self.silent
        if sounding:
            transitions = self.history.objects.filter(**{f"{self.column}__in": sounding}, kind__in=SOUNDING)
            for pk, transition in (
                transitions.order_by().values_list(self.column).annotate(last=Max("pk")).order_by("last")
            ):
                marks.setdefault(self.severities[pk], []).append(f"{self.letter}{pk}.{transition}")
        return marks


def _sound_alarms(at: datetime) -> tuple[SoundAlarms, bool]:
    """The alarms, and whether any of the newest alerts is suppressed."""
    marks: dict[str, list[str]] = {severity: [] for severity in Severity.values}
    sources = _alerts(at), _incidents(at)
    for source in sources:
        for severity, found in source.marks().items():
            marks[severity] += found if severity == Severity.CRITICAL else found[-1:]
    return {severity: " ".join(found) for severity, found in marks.items()}, any(each.silent for each in sources)


def _alerts(at: datetime) -> AlarmSource:
    newest = Alert.objects.unresolved().unacknowledged().order_by("-changed_at")[:MAX_ALARMS]
    alerts = {alert.pk: alert for alert in newest.only("severity")}
    silent = suppressions(alerts.values(), at=at) if alerts else {}
    return AlarmSource("a", Transition, "alert", {pk: alert.severity for pk, alert in alerts.items()}, silent)


def _incidents(at: datetime) -> AlarmSource:
    newest = Incident.objects.filter(state=IncidentState.OPEN).order_by("-pk")[:MAX_ALARMS]
    severities = dict(newest.values_list("pk", "severity"))
    open_alerts = unresolved.with_open_alerts(unresolved.members(severities))
    silent = unresolved.suppressed_incidents(open_alerts, at=at)
    return AlarmSource("i", IncidentTransition, "incident", {pk: severities[pk] for pk in open_alerts}, silent)


@per_process
def alarm_cache() -> AlarmCache:
    """The sound alarms of this process's boards."""
    return AlarmCache()
