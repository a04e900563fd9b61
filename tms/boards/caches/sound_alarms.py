"""Sound alarms: unacknowledged alerts and incidents that nothing suppresses, by scope.

An outage sounds once: as the forming incident, as incidents of sites and as the one that these are merged into, it has
the mark of its oldest alert.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models import Count, Max, Min, Q

from tms.accounts.access import within
from tms.accounts.scope import Scope
from tms.alerts.correlation import unresolved
from tms.alerts.correlation.forming import FormingIncident, undecided_since
from tms.alerts.models import Alert, AlertState, Incident, IncidentState, IncidentTransition, Transition, TransitionKind
from tms.alerts.suppression.reasons import suppressions, suppressions_by_context
from tms.boards.caches.incidents import incident_cache
from tms.feed.cache import FeedCache, FeedListener
from tms.feed.change import Change
from tms.lib.per_process import per_process
from tms.lib.severity import Severity

MAX_ALARMS = 100
SUPPRESSED_STALE_S = 5.0
"""How old suppressions may be while something is suppressed: an alert waits only seconds to become part of an
incident.
"""
FORMING_STALE_S = 1.0
"""How old the alarms may be while an incident is forming: its alerts are decided by time alone."""
STALE_S = 30.0
"""Maintenance and opening hours end without a change on the feed."""
SOUNDING = TransitionKind.leading_to(AlertState.OPEN) | {TransitionKind.WORSENED}
"""Transitions that sound an alarm. Those of an incident have the same names."""

type SoundAlarms = dict[str, str]
"""Marks separated by spaces, for each severity. An alert that sounds again has a new mark.

Critical alarms sound until acknowledged, so each alert has a mark. The other severities have only the newest one, which
keeps frames short.
"""


class AlarmCache(FeedListener):
    """The sound alarms of every scope in use."""

    def __init__(self) -> None:
        self._by_scope: dict[Scope, ScopeAlarms] = {}

    def changed(self, change: Change) -> None:
        for alarms in tuple(self._by_scope.values()):
            alarms.changed(change)

    def of(self, scope: Scope) -> "ScopeAlarms":
        if scope not in self._by_scope:
            in_use = {known: alarms for known, alarms in self._by_scope.items() if not alarms.is_unused}
            self._by_scope = in_use | {scope: ScopeAlarms(scope, self)}
        return self._by_scope[scope]


class ScopeAlarms(FeedCache[SoundAlarms, [datetime, FormingIncident]]):
    min_interval_s = 1.0
    """The first alarm sounds at once. In a storm, loading them for each pass is a quarter of the boards' work."""
    unused_s = 600.0

    def __init__(self, scope: Scope, feeder: FeedListener) -> None:
        super().__init__()
        self._scope = scope
        self._feeder = feeder

    @property
    def is_fed(self) -> bool:
        return self._feeder.is_fed

    @property
    def is_unused(self) -> bool:
        """Whether no board asked for them lately."""
        return self._age_s > self.unused_s

    def is_relevant(self, change: Change) -> bool:
        return bool(change.alerts or change.incidents or change.everything)

    def load(self, at: datetime, shown: FormingIncident) -> SoundAlarms:
        """`shown`: the forming incident of the scope."""
        alarms, has_suppressed = _sound_alarms(at, self._scope, shown)
        self.stale_s = FORMING_STALE_S if shown.is_active else SUPPRESSED_STALE_S if has_suppressed else STALE_S
        return alarms


class AlarmSource(NamedTuple):
    """Unacknowledged alerts or incidents."""

    letter: str
    history: type[Transition] | type[IncidentTransition]
    column: str
    severities: Mapping[int, str]
    """Severities by primary key."""
    silent: Collection[int]
    """The alerts or incidents that are suppressed now."""

    def marks(self) -> dict[str, list[str]]:
        """The marks of each severity, the latest alarm last."""
        marks: dict[str, list[str]] = {}
        sounding = self.severities.keys() - self.silent
        if sounding:
            transitions = self.history.objects.filter(**{f"{self.column}__in": sounding}, kind__in=SOUNDING)
            rows = transitions.order_by().values_list(self.column).annotate(last=Max("pk"), number=Count("pk"))
            oldest = self._oldest_alerts(sounding)
            for pk, last, number in rows.order_by("last"):
                mark = oldest.get(pk) if number == 1 else None
                marks.setdefault(self.severities[pk], []).append(mark or f"{self.letter}{pk}.{last}")
        return marks

    def _oldest_alerts(self, incidents: Collection[int]) -> Mapping[int, str]:
        """The marks of incidents that have not been reopened."""
        if self.history is Transition:
            return {}
        firsts = Alert.objects.filter(incident__in=incidents).order_by().values_list("incident")
        oldest = dict(firsts.annotate(oldest=Min("pk")))
        marks = marks_of(oldest.values())
        return {incident: marks[alert] for incident, alert in oldest.items() if alert in marks}


def marks_of(alerts: Iterable[int]) -> Mapping[int, str]:
    """The marks that alerts have from when they opened."""
    opened = Transition.objects.filter(alert__in=tuple(alerts), kind=TransitionKind.OPENED).order_by()
    return {pk: f"a{pk}.{first}" for pk, first in opened.values_list("alert").annotate(first=Min("pk"))}


def _sound_alarms(at: datetime, scope: Scope, shown: FormingIncident) -> tuple[SoundAlarms, bool]:
    """The alarms, and whether any of the newest alerts is suppressed."""
    marks: dict[str, list[str]] = {severity: [] for severity in Severity.values}
    sources = _alerts(at, scope, shown), _incidents(at, scope, shown)
    for source in sources:
        for severity, found in source.marks().items():
            marks[severity] += found if severity == Severity.CRITICAL else found[-1:]
    if shown.is_shown and (mark := _forming(at, scope, shown)):
        marks[shown.severity].append(mark)
    return {severity: " ".join(found) for severity, found in marks.items()}, any(each.silent for each in sources)


def _alerts(at: datetime, scope: Scope, shown: FormingIncident) -> AlarmSource:
    open_alerts = Alert.objects.unresolved().unacknowledged().with_undecided_since()
    newest = within(open_alerts, scope).select_related("terminal").order_by("-changed_at")[:MAX_ALARMS]
    alerts = {alert.pk: alert for alert in newest.only("severity", "incident", "terminal__site")}
    apart = _apart(alerts.values(), scope)
    silent = set(suppressions([alert for alert in alerts.values() if alert not in apart], at=at)) if alerts else set()
    silent |= set(suppressions_by_context(apart, at=at)) if apart else set()
    silent |= {pk for pk, one in alerts.items() if shown.hides(one.undecided_since, one.terminal.site_id, at=at)}
    return AlarmSource("a", Transition, "alert", {pk: alert.severity for pk, alert in alerts.items()}, silent)


def _forming(at: datetime, scope: Scope, shown: FormingIncident) -> str:
    """The mark of the forming incident; empty if all of its alerts are suppressed."""
    undecided = Q(undecided_since__gt=undecided_since(at), terminal__site__in=shown.sites)
    parts = within(Alert.objects.unacknowledged().with_undecided_since(), scope)
    alerts = list(parts.filter(undecided | Q(incident__in=shown.merged)).order_by("pk").only("pk")[:MAX_ALARMS])
    if not alerts or len(suppressions_by_context(alerts, at=at)) == len(alerts):
        return ""
    return marks_of([alerts[0].pk]).get(alerts[0].pk, "")


def _apart(alerts: Iterable[Alert], scope: Scope) -> Collection[Alert]:
    """Alerts of incidents that the scope does not cover: no incident sounds in their place."""
    incidents = {alert.incident_id for alert in alerts if alert.incident_id}
    if scope.is_everything or not incidents:
        return ()
    covered = set(within(Incident.objects.filter(pk__in=incidents), scope).values_list("pk", flat=True))
    return [alert for alert in alerts if alert.incident_id and alert.incident_id not in covered]


def _incidents(at: datetime, scope: Scope, shown: FormingIncident) -> AlarmSource:
    opened = Incident.objects.filter(state=IncidentState.OPEN)
    covered = within(opened, scope) if scope.is_everything or opened.exists() else opened.none()
    newest = covered.order_by("-pk")[:MAX_ALARMS]
    severities = dict(newest.values_list("pk", "severity"))
    known = incident_cache().get().rows if severities else {}
    severities = {pk: severity for pk, severity in severities.items() if pk in known}
    open_alerts = unresolved.with_open_alerts(unresolved.members(severities))
    silent = {*unresolved.suppressed_incidents(open_alerts, at=at), *shown.hidden_incidents}
    return AlarmSource("i", IncidentTransition, "incident", {pk: severities[pk] for pk in open_alerts}, silent)


@per_process
def alarm_cache() -> AlarmCache:
    """The sound alarms of this process's boards."""
    return AlarmCache()
