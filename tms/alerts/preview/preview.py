"""Preview: what an edited rule would have done, from stored reports and changes."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from tms.accounts.access import within
from tms.accounts.scope import EVERYTHING, Scope
from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleEvent, RuleTriggered, firmware
from tms.alerts.models import Rule, RuleHours
from tms.alerts.preview.flapping import FlapThresholds, with_flapping
from tms.alerts.preview.simulation import Due, SimulatedAlert, due_at, simulated_alerts
from tms.alerts.rule_kinds.base import History
from tms.alerts.rule_kinds.evaluation import CompiledRule, MetricRule, Sample
from tms.alerts.rules.compiled import RuleSet, ScopedRules, TerminalScope, compile_rules, terminals_of
from tms.alerts.rules.evaluator import RuleEvaluator
from tms.fleet.models import PresenceChange, Terminal
from tms.fleet.presence.state_machine import LinkStateChange
from tms.fleet.sites.calendar import hours_of
from tms.telemetry.history import samples
from tms.telemetry.models import Event

MAX_TERMINALS = 1_000
"""Terminals evaluated if roll-ups show which hours matter; a larger fleet is sampled."""
MAX_CLOSELY = 60
"""Terminals evaluated if every report has to be read."""
MAX_ROWS = 200_000
"""Reports, events or changes that one preview reads."""


@dataclass(frozen=True)
class PreviewResult:
    since: datetime
    until: datetime
    terminals: int
    """Number of terminals in the scope of the rule."""
    evaluated: Sequence[int]
    """Terminals: all of them, or a sample."""
    alerts: Sequence[SimulatedAlert] = ()
    matching_now: Sequence[int] = ()
    """Terminals that the rule would match now, if its kind has no history."""
    is_cut: bool = False
    """There was more data than can be read in time; `alerts` ends early."""

    @property
    def is_sample(self) -> bool:
        return len(self.evaluated) < self.terminals


@dataclass
class LimitedReader:
    """Counts the rows it passes on, and stops at MAX_ROWS."""

    left: int = field(default_factory=lambda: MAX_ROWS)
    is_cut: bool = False

    def take[T](self, rows: Iterable[T]) -> Iterator[T]:
        for row in rows:
            if not self.left:
                self.is_cut = True
                return
            self.left -= 1
            yield row


def preview(rule: Rule, *, since: datetime, until: datetime, scope: Scope = EVERYTHING) -> PreviewResult:
    """The preview on the terminals of `scope`. Read-only. The rule need not be saved or enabled, but it has to be
    valid.
    """
    probe = copy(rule)
    probe.pk = rule.pk or 0
    history = probe.kind_object.history
    in_scope = list(within(terminals_of(probe), scope).order_by("pk").values_list("pk", flat=True))
    if history is History.NONE:
        matching = sorted(firmware.WATCHED[probe.kind].matching(probe, until).intersection(in_scope))
        return PreviewResult(since, until, len(in_scope), in_scope, matching_now=matching)
    evaluated = sample(in_scope, MAX_CLOSELY if history is History.REPORTS else MAX_TERMINALS)
    reader = LimitedReader()
    rule_events = HISTORIES[history](probe, evaluated, since, until, reader)
    alerts = simulated_alerts(rule_events, until=until, due=_due(probe, evaluated))
    if probe.watches_flapping and settings.FLAPPING_WINDOW_S:
        alerts = with_flapping(alerts, _flap_thresholds(), until=until)
    return PreviewResult(since, until, len(in_scope), evaluated, alerts, is_cut=reader.is_cut)


def sample(terminal_ids: Sequence[int], most: int) -> Sequence[int]:
    """Evenly spread, and the same each time."""
    return terminal_ids[:: -(-len(terminal_ids) // most)] if len(terminal_ids) > most else terminal_ids


def _due(rule: Rule, terminals: Sequence[int]) -> Due:
    """A rule of opening hours counts only those of the terminal's site."""
    if rule.hours != RuleHours.OPEN:
        return due_at
    sites = dict(Terminal.objects.filter(pk__in=terminals).values_list("pk", "site"))
    hours = hours_of(set(sites.values()))
    return lambda event: hours[sites[event.terminal_id]].lasted(event.at, timedelta(seconds=event.duration_s))


def _flap_thresholds() -> FlapThresholds:
    high, low = settings.FLAPPING_HIGH_PCT / 100, settings.FLAPPING_LOW_PCT / 100
    return FlapThresholds(settings.FLAPPING_WINDOW_S, high, low)


def _from_presence(
    rule: Rule, terminals: Sequence[int], since: datetime, until: datetime, reader: LimitedReader
) -> list[RuleEvent]:
    changes = PresenceChange.objects.filter(terminal__in=terminals, at__gte=since, at__lt=until).order_by("at", "pk")
    everywhere = copy(rule)
    everywhere.site = everywhere.group = None
    everywhere.model = everywhere.terminal_kind = ""
    scopes = dict.fromkeys(terminals, TerminalScope(0, 0, "", ""))
    link_changes = (
        LinkStateChange(row.terminal_id, row.at, row.before, row.presence, row.cause, row.back_at, row.session)
        for row in reader.take(changes.iterator())
    )
    return lifecycle.follow_presence(link_changes, RuleSet((everywhere,)), scopes)


def _from_events(
    rule: Rule, terminals: Sequence[int], since: datetime, until: datetime, reader: LimitedReader
) -> list[RuleEvent]:
    codes = {rule.event_code, rule.clear_code} - {""}
    events = Event.objects.filter(terminal__in=terminals, code__in=codes, at__gte=since, at__lt=until, late=False)
    evaluators = _evaluators(compile_rules([rule]), terminals)
    rows = events.order_by("at", "pk").values_list("terminal", "code", "at").iterator()
    return [event for pk, code, at in reader.take(rows) for event in evaluators[pk].event(code, at)]


def _from_reports(
    rule: Rule, terminals: Sequence[int], since: datetime, until: datetime, reader: LimitedReader
) -> list[RuleEvent]:
    return _evaluate(rule, {hour: set(terminals) for hour in samples.all_hours(since, until)}, since, until, reader)


def _from_rollups(
    rule: Rule, terminals: Sequence[int], since: datetime, until: datetime, reader: LimitedReader
) -> list[RuleEvent]:
    lowest = rule.kind_object.thresholds(rule)[0]
    high, low = lowest.high - rule.hysteresis, lowest.low + rule.hysteresis
    hours = samples.hours_beyond(terminals, rule.metric, high=high, low=low, since=since, until=until)
    return _evaluate(rule, hours, since, until, reader)


def _evaluate(
    rule: Rule, hours: samples.Hours, since: datetime, until: datetime, reader: LimitedReader
) -> list[RuleEvent]:
    """Read the reports of these terminals in each hour."""
    compiled = rule.kind_object.compile(rule)
    evaluators = _evaluators(compile_rules([rule]), set().union(*hours.values()))
    rule_events: list[RuleEvent] = []
    for hour, those in sorted(hours.items()):
        rows = samples.live_reports(those, rule.metric, max(since, hour), min(until, hour + samples.HOUR))
        for row in reader.take(rows):
            metrics = {} if row.value is None else {rule.metric: row.value}
            read = Sample(metrics, row.taken_at, row.received_at)
            evaluator = evaluators[row.terminal_id]
            rule_events += evaluator.report(read) or _still_active(compiled, evaluator, read)
    return rule_events


def _still_active(rule: CompiledRule, evaluator: RuleEvaluator, read: Sample) -> list[RuleEvent]:
    """An active rule triggers again with its value, so that the peak is known."""
    value = read.metrics.get(rule.metric) if isinstance(rule, MetricRule) else None
    if value is None or not evaluator.is_active(rule.key):
        return []
    return [RuleTriggered(rule.key.rule_id, evaluator.terminal_id, read.at, rule.duration_s, value=value)]


def _evaluators(rules: ScopedRules, terminals: Iterable[int]) -> dict[int, RuleEvaluator]:
    return {terminal_id: RuleEvaluator(terminal_id, rules) for terminal_id in terminals}


type ReadHistory = Callable[[Rule, Sequence[int], datetime, datetime, LimitedReader], list[RuleEvent]]
HISTORIES: Mapping[History, ReadHistory] = {
    History.ROLLUPS: _from_rollups,
    History.REPORTS: _from_reports,
    History.EVENTS: _from_events,
    History.PRESENCE: _from_presence,
}
