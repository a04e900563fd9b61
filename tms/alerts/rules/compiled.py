"""The enabled rules at one moment, compiled once for each scope."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import inf
from typing import Any, NamedTuple

from tms.alerts.models.rule import Rule
from tms.alerts.rule_kinds.evaluation import (
    AbsentRule,
    ClockRule,
    EventRule,
    MetricRule,
    PresenceRule,
    RateRule,
    RuleKey,
    Threshold,
    ThresholdRule,
)
from tms.alerts.rule_kinds.sources import Comparison, RuleSource


class TerminalScope(NamedTuple):
    """What decides which rules apply to a terminal."""

    terminal_id: int
    site_id: int
    kind: str
    model: str


class NormalRange(NamedTuple):
    """A rule, and the values between which it stays inactive."""

    low: float
    high: float
    rule: MetricRule


@dataclass(frozen=True)
class ScopedRules:
    """The rules for one scope."""

    presence: tuple[PresenceRule, ...] = ()
    metric: Mapping[str, tuple[NormalRange, ...]] = field(default_factory=dict)
    """By the name of the metric."""
    values: tuple[ThresholdRule, ...] = ()
    """All other rules with thresholds."""
    absent: tuple[AbsentRule, ...] = ()
    """Those of `values` that a sign of life without a report concerns, too."""
    event: tuple[EventRule, ...] = ()
    rule_ids: frozenset[int] = frozenset()
    """Of these rules, and of those that are evaluated elsewhere."""

    def threshold_rules(self) -> Iterator[ThresholdRule]:
        yield from (normal.rule for ranges in self.metric.values() for normal in ranges)
        yield from self.values


@dataclass(frozen=True)
class RuleSet:
    """A change makes a new one."""

    rows: tuple[Rule, ...] = ()
    groups: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """The terminals of each group that a rule names."""
    _applicable: dict[tuple[Any, ...], ScopedRules] = field(default_factory=dict)

    def for_terminal(self, place: TerminalScope) -> ScopedRules:
        """Terminals that no rule distinguishes share one object."""
        scope = (
            place.site_id if place.site_id in self._sites else None,
            tuple(group for group, members in self.groups.items() if place.terminal_id in members),
            place.model if place.model in self._models else "",
            place.kind if place.kind in self._kinds else "",
        )
        found = self._applicable.get(scope)
        if found is None:
            found = self._applicable[scope] = compiled(row for row in self.rows if _applies(row, *scope))
        return found

    @cached_property
    def revisions(self) -> Mapping[int, int]:
        return {row.pk: row.revision for row in self.rows}

    @cached_property
    def _sites(self) -> frozenset[int | None]:
        return frozenset(row.site_id for row in self.rows)

    @cached_property
    def _models(self) -> frozenset[str]:
        return frozenset(row.model for row in self.rows)

    @cached_property
    def _kinds(self) -> frozenset[str]:
        return frozenset(row.terminal_kind for row in self.rows)


def _applies(row: Rule, site_id: int | None, groups: tuple[int, ...], model: str, kind: str) -> bool:
    return (
        row.site_id in {None, site_id}
        and (row.group_id is None or row.group_id in groups)
        and row.model in {"", model}
        and row.terminal_kind in {"", kind}
    )


def compiled(rows: Iterable[Rule]) -> ScopedRules:
    by_kind: dict[str, list[Rule]] = {}
    for row in rows:
        by_kind.setdefault(row.kind, []).append(row)
    of_values = (*by_kind.get(RuleSource.METRIC, ()), *by_kind.get(RuleSource.CLOCK, ()))
    levels = [threshold_rule(row) for row in of_values]
    others = tuple(level for level in levels if not isinstance(level, MetricRule))
    return ScopedRules(
        presence=tuple(
            PresenceRule(key_of(row), row.presence, row.duration_s) for row in by_kind.get(RuleSource.PRESENCE, ())
        ),
        metric=_by_metric(level for level in levels if isinstance(level, MetricRule)),
        values=others,
        absent=tuple(level for level in others if isinstance(level, AbsentRule)),
        event=tuple(
            EventRule(key_of(row), row.event_code, row.clear_code, row.clear_after_s, row.duration_s)
            for row in by_kind.get(RuleSource.EVENT, ())
        ),
        rule_ids=frozenset(row.pk for rows_of_kind in by_kind.values() for row in rows_of_kind),
    )


def _by_metric(rules: Iterable[MetricRule]) -> dict[str, tuple[NormalRange, ...]]:
    """The lowest threshold is nearest to normal values."""
    found: dict[str, tuple[NormalRange, ...]] = {}
    for rule in rules:
        lowest = rule.thresholds[0]
        found[rule.metric] = (*found.get(rule.metric, ()), NormalRange(lowest.low, lowest.high, rule))
    return found


def threshold_rule(row: Rule) -> ThresholdRule:
    common = key_of(row), thresholds_of(row), row.hysteresis
    if row.kind == RuleSource.CLOCK:
        return ClockRule(*common, row.duration_s)
    if row.comparison in {Comparison.RISING, Comparison.FALLING}:
        return RateRule(*common, row.duration_s, row.metric, row.window_s)
    if row.comparison == Comparison.ABSENT:
        return AbsentRule(*common, row.duration_s, row.metric)
    return MetricRule(*common, row.duration_s, row.metric)


def thresholds_of(row: Rule) -> tuple[Threshold, ...]:
    return tuple(_threshold(row.comparison, **one) for one in row.thresholds)


def _threshold(comparison: str, *, severity: str, limit: float, lower_limit: float | None = None) -> Threshold:
    if comparison == Comparison.BELOW:
        return Threshold(severity, low=limit)
    if comparison == Comparison.FALLING:
        return Threshold(severity, low=-limit)
    if comparison == Comparison.OUTSIDE:
        return Threshold(severity, high=limit, low=-inf if lower_limit is None else lower_limit)
    return Threshold(severity, high=limit)


def key_of(row: Rule) -> RuleKey:
    return RuleKey(row.pk, row.revision)
