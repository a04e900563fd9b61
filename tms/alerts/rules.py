"""What rules say. Pure, and honest about absence: a report without the metric proves nothing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from tms.alerts.models import Comparison, Rule, RuleKind
from tms.fleet.models import OURS, Cause, Presence


class RuleKey(NamedTuple):
    """A rule as it stands: an edit makes a new revision, and what the old one held no longer counts."""

    rule_id: int
    revision: int


@dataclass(frozen=True, slots=True)
class MetricRule:
    """Holds from `limit`; lets go once the value is more than `hysteresis` back over it."""

    key: RuleKey
    metric: str
    comparison: str
    limit: float
    hysteresis: float
    duration_s: float

    def verdict(self, metrics: Mapping[str, float], *, holding: bool) -> bool | None:
        value = metrics.get(self.metric)
        if value is None:
            return None
        slack = self.hysteresis if holding else 0.0
        if self.comparison == Comparison.ABOVE:
            return value >= self.limit - slack
        return value <= self.limit + slack


@dataclass(frozen=True, slots=True)
class PresenceRule:
    """Holds while a terminal is offline, or while it is silent or offline.

    A silence that TMS itself caused proves nothing yet: the terminal has its grace to come back.
    """

    key: RuleKey
    presence: str
    duration_s: float

    def verdict(self, presence: str, cause: str = Cause.NONE) -> bool:
        if presence == Presence.SILENT and cause in OURS:
            return False
        return presence in {Presence.OFFLINE, self.presence}


@dataclass(frozen=True, slots=True)
class EventRule:
    """Holds from one event code, until another code, or until it did not come again for `clear_after_s` (0: never)."""

    key: RuleKey
    event_code: str
    clear_code: str
    clear_after_s: float
    duration_s: float

    def verdict(self, code: str) -> bool | None:
        if code == self.event_code:
            return True
        return False if code and code == self.clear_code else None


@dataclass(frozen=True)
class Applicable:
    """The rules for one site and kind of terminal."""

    presence: tuple[PresenceRule, ...] = ()
    metric: tuple[MetricRule, ...] = ()
    event: tuple[EventRule, ...] = ()


@dataclass(frozen=True)
class RuleSet:
    """The enabled rules at one moment; a change makes a new one."""

    rows: tuple[Rule, ...] = ()
    _applicable: dict[tuple[int, str], Applicable] = field(default_factory=dict)

    def for_terminal(self, site_id: int, kind: str) -> Applicable:
        found = self._applicable.get((site_id, kind))
        if found is None:
            found = self._applicable[site_id, kind] = compiled(
                row for row in self.rows if row.site_id in (None, site_id) and row.terminal_kind in ("", kind)
            )
        return found

    @cached_property
    def revisions(self) -> Mapping[int, int]:
        return {row.pk: row.revision for row in self.rows}


def compiled(rows: Iterable[Rule]) -> Applicable:
    by_kind: dict[str, list[Rule]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    return Applicable(
        presence=tuple(
            PresenceRule(_key(row), row.presence, row.duration_s) for row in by_kind.get(RuleKind.PRESENCE, ())
        ),
        metric=tuple(
            MetricRule(_key(row), row.metric, row.comparison, row.limit or 0.0, row.hysteresis, row.duration_s)
            for row in by_kind.get(RuleKind.METRIC, ())
        ),
        event=tuple(
            EventRule(_key(row), row.event_code, row.clear_code, row.clear_after_s, row.duration_s)
            for row in by_kind.get(RuleKind.EVENT, ())
        ),
    )


def _key(row: Rule) -> RuleKey:
    return RuleKey(row.pk, row.revision)
