"""The last hour of every total by minute, computed backwards from the present value."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from django.db.models import Count, Q
from django.db.models.functions import TruncMinute

from tms.accounts.access import within
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts.models import Transition, TransitionKind
from tms.boards.caches.census import Census
from tms.fleet.models import PresenceChange

HOUR = timedelta(hours=1)
MINUTES = 60
STEP = timedelta(minutes=5)
"""The hour advances in these steps, so that the line of an unchanged number stays the same."""

COUNTED = (TransitionKind.OPENED, TransitionKind.WORSENED, TransitionKind.EASED, TransitionKind.RESOLVED)
"""Transitions that change the number of alerts of a severity."""

type Lines = Mapping[str, Sequence[int]]
"""One value per minute, the present one last, for each presence or severity."""
type Increment = tuple[datetime, str, int]
"""The change of a count in one minute."""


def hour(census: Census, *, at: datetime, scope: Scope = EVERYTHING, until: datetime | None = None) -> Lines:
    """One line per presence and severity, in two queries (index: presencechange_at, transition_at). `census`: what the
    scope covers, at the past instant `until` or now.

    Minutes of the current step that have not passed yet have the present value.
    """
    at += -(at - datetime.min.replace(tzinfo=UTC)) % STEP
    period = Q(at__gt=at - HOUR) if until is None else Q(at__gt=at - HOUR, at__lte=until)
    presence = _walk_back(census.presences, _presence_increments(period, scope), at=at)
    severity = _walk_back(census.severities, _severity_increments(period, scope), at=at)
    return {**presence, **severity}


def _presence_increments(period: Q, scope: Scope) -> Iterable[Increment]:
    rows = within(PresenceChange.objects.filter(period), scope)
    changes = rows.annotate(minute=TruncMinute("at"))
    for minute, before, presence, n in changes.values_list("minute", "before", "presence").annotate(n=Count("pk")):
        yield minute, before, -n
        yield minute, presence, n


def _severity_increments(period: Q, scope: Scope) -> Iterable[Increment]:
    rows = within(Transition.objects.filter(period, kind__in=COUNTED), scope)
    changes = rows.annotate(minute=TruncMinute("at"))
    grouped = changes.values_list("minute", "severity", "alert__severity", "before", "kind").annotate(n=Count("pk"))
    for minute, severity, current, before, kind, n in grouped:
        yield minute, severity or current, -n if kind == TransitionKind.RESOLVED else n
        if before:
            yield minute, before, -n


def _walk_back(now: Counter[str], increments: Iterable[Increment], *, at: datetime) -> dict[str, list[int]]:
    moved: dict[str, Counter[int]] = {name: Counter() for name in now}
    for minute, name, n in increments:
        age = min(MINUTES - 1, max(0, int((at - minute).total_seconds() // 60)))
        moved.setdefault(name, Counter())[age] += n
    return {name: _line(now[name], ages) for name, ages in moved.items()}


def _line(now: int, moved: Mapping[int, int]) -> list[int]:
    values = [now]
    for age in range(MINUTES - 1):
        values.append(max(0, values[-1] - moved.get(age, 0)))
    return values[::-1]
