"""What a rule, as somebody is just writing it, would have made of what was reported already."""

from collections.abc import Iterable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings

from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleEvent, RuleTriggered, firmware
from tms.alerts.models import Comparison, Rule, RuleHours, RuleSource
from tms.alerts.preview.flapping import FlapThresholds, with_flapping
from tms.alerts.preview.simulation import Due, SimulatedAlert, lasted, simulated_alerts
from tms.alerts.rule_kinds.evaluation import MetricRule, Sample, ThresholdRule
from tms.alerts.rules.compiled import RuleSet, ScopedRules, TerminalScope, compiled, threshold_rule
from tms.alerts.rules.evaluator import RuleEvaluator
from tms.alerts.rules.scope import terminals_of
from tms.fleet.models import PresenceChange, Terminal
from tms.fleet.presence.transitions import LinkStateChange
from tms.fleet.sites.calendar import hours_of
from tms.telemetry.history import samples
from tms.telemetry.models import Event

MOST_TERMINALS = 1_000
"""Looked at where roll-ups tell which hours matter; of a larger fleet, a sample."""
MOST_CLOSELY = 60
"""Looked at where every report has to be read."""
MOST_ROWS = 200_000
"""Reports, events or changes that one preview reads."""

BY_ROLLUPS = {Comparison.ABOVE.value, Comparison.BELOW.value, Comparison.OUTSIDE.value}


@dataclass(frozen=True)
class PreviewResult:
    since: datetime
    until: datetime
    terminals: int
    """In the scope of the rule."""
    looked_at: Sequence[int]
    """Terminals: all of them, or a sample."""
    firings: Sequence[SimulatedAlert] = ()
    drifting: Sequence[int] = ()
    """Of a firmware rule: terminals that it would hold for right now. What they ran in the past nobody knows."""
    is_cut: bool = False
    """There was more than can be read while somebody waits; `simulated_alerts` ends early."""

    @property
    def is_sample(self) -> bool:
        return len(self.looked_at) < self.terminals


@dataclass
class Reader:
    """Counts what is read, and stops."""

    left: int = field(default_factory=lambda: MOST_ROWS)
    is_cut: bool = False

    def take[T](self, rows: Iterable[T]) -> Iterator[T]:
        for row in rows:
            if not self.left:
                self.is_cut = True
                return
            self.left -= 1
            yield row


def preview(rule: Rule, *, since: datetime, until: datetime) -> PreviewResult:
    """Reads only. The rule need not be saved, or enabled; it has to be valid."""
    probe = copy(rule)
    probe.pk = rule.pk or 0
    in_scope = list(terminals_of(probe).order_by("pk").values_list("pk", flat=True))
    if probe.kind == RuleSource.FIRMWARE:
        return PreviewResult(since, until, len(in_scope), in_scope, drifting=sorted(firmware.drifting_from(probe)))
    looked_at = sample(in_scope, MOST_CLOSELY if _needs_every_report(probe) else MOST_TERMINALS)
    reader = Reader()
    rule_events = HISTORIES[RuleSource(probe.kind)](probe, looked_at, since, until, reader)
    found = simulated_alerts(rule_events, until=until, due=_due(probe, looked_at))
    if probe.watches_flapping and settings.FLAPPING_WINDOW_S:
        found = with_flapping(found, _unrest(), until=until)
    return PreviewResult(since, until, len(in_scope), looked_at, found, is_cut=reader.is_cut)


def sample(terminal_ids: Sequence[int], most: int) -> Sequence[int]:
    """Evenly spread, and the same at every look."""
    return terminal_ids[:: -(-len(terminal_ids) // most)] if len(terminal_ids) > most else terminal_ids


def _due(rule: Rule, terminals: Sequence[int]) -> Due:
    """A rule of opening hours counts only those of the terminal's site."""
    if rule.hours != RuleHours.OPEN:
        return lasted
    sites = dict(Terminal.objects.filter(pk__in=terminals).values_list("pk", "site"))
    hours = hours_of(set(sites.values()))
    return lambda claim: hours[sites[claim.terminal_id]].lasted(claim.at, timedelta(seconds=claim.duration_s))


def _unrest() -> FlapThresholds:
    high, low = settings.FLAPPING_HIGH_PCT / 100, settings.FLAPPING_LOW_PCT / 100
    return FlapThresholds(settings.FLAPPING_WINDOW_S, high, low)


def _needs_every_report(rule: Rule) -> bool:
    return rule.kind == RuleSource.CLOCK or (rule.kind == RuleSource.METRIC and rule.comparison not in BY_ROLLUPS)


def _of_presence(
    rule: Rule, terminals: Sequence[int], since: datetime, until: datetime, reader: Reader
) -> list[RuleEvent]:
    changes = PresenceChange.objects.filter(terminal__in=terminals, at__gte=since, at__lt=until).order_by("at", "pk")
    everywhere = copy(rule)
    everywhere.site = everywhere.group = None
    everywhere.model = everywhere.terminal_kind = ""
    places = dict.fromkeys(terminals, TerminalScope(0, 0, "", ""))
    link_changes = (
        LinkStateChange(row.terminal_id, row.at, row.before, row.presence, row.cause, row.back_at, row.session)
        for row in reader.take(changes.iterator())
    )
    return lifecycle.follow_presence(link_changes, RuleSet((everywhere,)), places)


def _of_events(
    rule: Rule, terminals: Sequence[int], since: datetime, until: datetime, reader: Reader
) -> list[RuleEvent]:
    codes = {rule.event_code, rule.clear_code} - {""}
    events = Event.objects.filter(terminal__in=terminals, code__in=codes, at__gte=since, at__lt=until, late=False)
    judges = _judges(compiled([rule]), terminals)
    rows = events.order_by("at", "pk").values_list("terminal", "code", "at").iterator()
    return [verdict for pk, code, at in reader.take(rows) for verdict in judges[pk].event(code, at)]


def _of_reports(
    rule: Rule, terminals: Sequence[int], since: datetime, until: datetime, reader: Reader
) -> list[RuleEvent]:
    level = threshold_rule(rule)
    judges = _judges(compiled([rule]), terminals)
    rule_events: list[RuleEvent] = []
    for hour, those in sorted(_hours(rule, level, terminals, since, until).items()):
        rows = samples.live_reports(those, rule.metric, max(since, hour), min(until, hour + samples.HOUR))
        for row in reader.take(rows):
            metrics = {} if row.value is None else {rule.metric: row.value}
            seen = Sample(metrics, row.taken_at, row.received_at)
            rule_events += judges[row.terminal_id].report(seen) or _still(level, judges[row.terminal_id], seen)
    return rule_events


def _hours(
    rule: Rule, level: ThresholdRule, terminals: Sequence[int], since: datetime, until: datetime
) -> samples.Hours:
    if _needs_every_report(rule):
        return {hour: set(terminals) for hour in samples.all_hours(since, until)}
    high, low = level.thresholds[0].high - level.hysteresis, level.thresholds[0].low + level.hysteresis
    return samples.hours_beyond(terminals, rule.metric, high=high, low=low, since=since, until=until)


def _still(level: ThresholdRule, judging: RuleEvaluator, seen: Sample) -> list[RuleEvent]:
    """What goes on is told again with its value, so that the peak is known."""
    value = seen.metrics.get(level.metric) if isinstance(level, MetricRule) else None
    if value is None or not judging.is_active(level.key):
        return []
    return [RuleTriggered(level.key.rule_id, judging.terminal_id, seen.at, level.duration_s, value=value)]


def _judges(rules: ScopedRules, terminals: Iterable[int]) -> dict[int, RuleEvaluator]:
    return {terminal_id: RuleEvaluator(terminal_id, rules) for terminal_id in terminals}


HISTORIES = {
    RuleSource.PRESENCE: _of_presence,
    RuleSource.METRIC: _of_reports,
    RuleSource.CLOCK: _of_reports,
    RuleSource.EVENT: _of_events,
}
