"""Kinds of rules on one metric of the reports."""

from abc import ABC
from math import inf, isfinite
from typing import ClassVar

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.alerts.rule_kinds.base import (
    LASTING,
    SEVERITIES,
    ChartLimit,
    Extremes,
    History,
    RuleFacts,
    RuleKind,
    Trace,
    ValueFacts,
    key_of,
)
from tms.alerts.rule_kinds.evaluation import AbsentRule, CompiledRule, MetricRule, RateRule, Threshold
from tms.alerts.rule_kinds.sources import RuleSource
from tms.lib.calendar.durations import duration_text
from tms.telemetry import metric_names


class MetricKind(RuleKind, ABC):
    """Compares the value itself."""

    source = RuleSource.METRIC
    fields: ClassVar[tuple[str, ...]] = ("metric", *SEVERITIES, *LASTING)
    required: ClassVar[tuple[str, ...]] = ("metric", "comparison", "limit")
    history: ClassVar[History] = History.ROLLUPS

    def compile(self, rule: RuleFacts) -> CompiledRule:
        return MetricRule(key_of(rule), self.thresholds(rule), rule.hysteresis, rule.duration_s, rule.metric)

    def placeholders(self, rule: RuleFacts) -> dict[str, str]:
        return {
            "metric": str(metric_names.metric(rule.metric).label),
            "limit": self.format_limit(rule, rule.limit),
            "lower_limit": self.format_limit(rule, rule.lower_limit),
            "window": duration_text(rule.window_s),
        }

    def unit(self, metric: str) -> str:
        return metric_names.metric(metric).unit.strip() if metric else ""

    def format_limit(self, rule: RuleFacts, limit: float | None) -> str:
        return "" if limit is None else f"{limit:g}{metric_names.metric(rule.metric).unit}"

    def describe_value(self, alert: ValueFacts) -> str:
        return gettext("%(metric)s %(value)s, threshold %(limit)s") % _word(alert)

    def chart_limits(self, rule: RuleFacts) -> tuple[ChartLimit, ...]:
        found = self.thresholds(rule)
        above = (ChartLimit("above", each.high, each.severity) for each in found if isfinite(each.high))
        below = (ChartLimit("below", each.low, each.severity) for each in found if isfinite(each.low))
        return (*above, *below)


class Above(MetricKind):
    name = "above"
    label = pgettext_lazy("rule", "Too high")
    hint = _("A metric is at or above a threshold.")
    condition = _("When {metric} of {who} is at or above {limit}, open an alert with severity {severity}")

    def plotted(self, lowest: Trace, highest: Trace) -> tuple[Trace, ...]:
        return (highest,)


class Below(MetricKind):
    name = "below"
    label = pgettext_lazy("rule", "Too low")
    hint = _("A metric is at or below a threshold.")
    condition = _("When {metric} of {who} is at or below {limit}, open an alert with severity {severity}")

    def threshold(self, severity: str, limit: float, lower_limit: float | None = None) -> Threshold:
        return Threshold(severity, low=limit)

    def is_further_out(self, higher: Threshold, lower: Threshold) -> bool:
        return higher.low < lower.low

    def peak(self, alert: Extremes) -> float | None:
        return alert.lowest

    def plotted(self, lowest: Trace, highest: Trace) -> tuple[Trace, ...]:
        return (lowest,)


class Outside(MetricKind):
    name = "outside"
    label = pgettext_lazy("rule", "Out of range")
    hint = _("A metric leaves its normal range.")
    condition = _(
        "When {metric} of {who} is not between {lower_limit} and {limit}, open an alert with severity {severity}"
    )
    fields = ("metric", *(f"{severity}{end}" for severity in SEVERITIES for end in ("_lower", "")), *LASTING)
    required = (*MetricKind.required, "lower_limit")

    def threshold(self, severity: str, limit: float, lower_limit: float | None = None) -> Threshold:
        return Threshold(severity, high=limit, low=-inf if lower_limit is None else lower_limit)

    def is_further_out(self, higher: Threshold, lower: Threshold) -> bool:
        return higher.high > lower.high and higher.low < lower.low

    def describe_value(self, alert: ValueFacts) -> str:
        values = _word(alert) | {"lower": metric_names.worded(alert.metric, alert.lower_limit)}
        return gettext("%(metric)s %(value)s, thresholds %(lower)s and %(limit)s") % values

    def plotted(self, lowest: Trace, highest: Trace) -> tuple[Trace, ...]:
        return lowest, highest


class RateKind(MetricKind, ABC):
    """Compares the change per minute."""

    fields = ("metric", "window_s", *SEVERITIES, *LASTING)
    required = (*MetricKind.required, "window_s")
    history = History.REPORTS

    def compile(self, rule: RuleFacts) -> CompiledRule:
        thresholds = self.thresholds(rule)
        return RateRule(key_of(rule), thresholds, rule.hysteresis, rule.duration_s, rule.metric, rule.window_s)

    def describe_value(self, alert: ValueFacts) -> str:
        """A rate may be far smaller than the precision of values."""
        metric = metric_names.metric(alert.metric)
        value, limit = (f"{abs(rate or 0):.3g}{metric.unit}" for rate in (alert.value, alert.limit))
        values = {"metric": metric.label, "value": value, "limit": limit}
        return gettext("%(metric)s changes by %(value)s per minute, threshold %(limit)s") % values

    def chart_limits(self, rule: RuleFacts) -> tuple[ChartLimit, ...]:
        return ()


class Rising(RateKind):
    name = "rising"
    label = pgettext_lazy("rule", "Rising fast")
    hint = _("A metric rises by a set amount per minute.")
    condition = _(
        "When {metric} of {who} rises by {limit} per minute over {window}, open an alert with severity {severity}"
    )


class Falling(RateKind):
    name = "falling"
    label = pgettext_lazy("rule", "Falling fast")
    hint = _("A metric falls by a set amount per minute.")
    condition = _(
        "When {metric} of {who} falls by {limit} per minute over {window}, open an alert with severity {severity}"
    )

    def threshold(self, severity: str, limit: float, lower_limit: float | None = None) -> Threshold:
        return Threshold(severity, low=-limit)

    def is_further_out(self, higher: Threshold, lower: Threshold) -> bool:
        return higher.low < lower.low

    def peak(self, alert: Extremes) -> float | None:
        return alert.lowest


class Absent(MetricKind):
    name = "absent"
    label = pgettext_lazy("rule", "Metric missing")
    hint = _("A terminal is online but no longer reports a metric.")
    condition = _(
        "When {who} is online but has not reported {metric} for {limit}, open an alert with severity {severity}"
    )
    fields = ("metric", *SEVERITIES)
    history = History.REPORTS
    has_duration_limits = True

    def chart_limits(self, rule: RuleFacts) -> tuple[ChartLimit, ...]:
        return ()

    def compile(self, rule: RuleFacts) -> CompiledRule:
        return AbsentRule(key_of(rule), self.thresholds(rule), rule.hysteresis, rule.duration_s, rule.metric)

    def format_limit(self, rule: RuleFacts, limit: float | None) -> str:
        return "" if limit is None else duration_text(limit)

    def describe_value(self, alert: ValueFacts) -> str:
        values = {"metric": metric_names.metric(alert.metric).label, "limit": duration_text(alert.limit or 0)}
        return gettext("%(metric)s not reported for %(limit)s") % values


def _word(alert: ValueFacts) -> dict[str, object]:
    return {
        "metric": metric_names.metric(alert.metric).label,
        "value": metric_names.worded(alert.metric, alert.value),
        "limit": metric_names.worded(alert.metric, alert.limit),
    }
