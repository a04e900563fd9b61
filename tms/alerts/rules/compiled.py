"""The enabled rules at one moment, compiled once for each scope."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from django.db import models

from tms.alerts.models.rule import Rule
from tms.alerts.rule_kinds.evaluation import AbsentRule, EventRule, MetricRule, PresenceRule, ThresholdRule
from tms.fleet.lifecycle import WITHOUT_ALERTS
from tms.fleet.models import Terminal


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
    """The normal ranges of each metric."""
    values: tuple[ThresholdRule, ...] = ()
    """All other rules with thresholds."""
    absent: tuple[AbsentRule, ...] = ()
    """The `values` that also a heartbeat affects."""
    event: tuple[EventRule, ...] = ()
    rule_ids: frozenset[int] = frozenset()
    """Including rules that are evaluated elsewhere."""

    def threshold_rules(self) -> Iterator[ThresholdRule]:
        yield from (normal.rule for ranges in self.metric.values() for normal in ranges)
        yield from self.values


NO_RULES = ScopedRules()


@dataclass(frozen=True)
class RuleSet:
    """Immutable; a change makes a new one."""

    rows: tuple[Rule, ...] = ()
    groups: Mapping[int, frozenset[int]] = field(default_factory=dict)
    """The terminals of each group that a rule names."""
    silent: frozenset[int] = frozenset()
    """The terminals to which no rule applies, because of their lifecycle state."""
    _applicable: dict[tuple[object, ...], ScopedRules] = field(default_factory=dict)

    def for_terminal(self, scope: TerminalScope) -> ScopedRules:
        """The rules that apply to a terminal in its lifecycle state."""
        return NO_RULES if scope.terminal_id in self.silent else self.in_scope(scope)

    def in_scope(self, scope: TerminalScope) -> ScopedRules:
        """Terminals that no rule distinguishes share one object."""
        key = (
            scope.site_id if scope.site_id in self._sites else None,
            tuple(group for group, members in self.groups.items() if scope.terminal_id in members),
            scope.model if scope.model in self._models else "",
            scope.kind if scope.kind in self._kinds else "",
        )
        found = self._applicable.get(key)
        if found is None:
            found = self._applicable[key] = compile_rules(row for row in self.rows if _applies(row, *key))
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


def terminals_of(rule: Rule) -> models.QuerySet[Terminal]:
    """The same as `RuleSet.for_terminal`, as a query."""
    wanted = {
        "site": rule.site_id,
        "groups": rule.group_id,
        "model": rule.model,
        "kind": rule.terminal_kind,
    }
    terminals = Terminal.objects.exclude(lifecycle__in=WITHOUT_ALERTS)
    return terminals.filter(**{name: value for name, value in wanted.items() if value})


def compile_rules(rows: Iterable[Rule]) -> ScopedRules:
    rows = tuple(rows)
    rules = [row.kind_object.compile(row) for row in rows]
    with_thresholds = _only(ThresholdRule, rules)
    values = tuple(rule for rule in with_thresholds if not isinstance(rule, MetricRule))
    return ScopedRules(
        presence=_only(PresenceRule, rules),
        metric=_by_metric(_only(MetricRule, rules)),
        values=values,
        absent=_only(AbsentRule, rules),
        event=_only(EventRule, rules),
        rule_ids=frozenset(row.pk for row in rows),
    )


def _only[Compiled](kind: type[Compiled], rules: Iterable[object]) -> tuple[Compiled, ...]:
    return tuple(rule for rule in rules if isinstance(rule, kind))


def _by_metric(rules: Iterable[MetricRule]) -> dict[str, tuple[NormalRange, ...]]:
    """The lowest threshold is nearest to normal values."""
    found: dict[str, tuple[NormalRange, ...]] = {}
    for rule in rules:
        lowest = rule.thresholds[0]
        found[rule.metric] = (*found.get(rule.metric, ()), NormalRange(lowest.low, lowest.high, rule))
    return found
