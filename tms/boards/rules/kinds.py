"""The shapes that a rule may have: what it watches, and how. A shape decides which fields its form has."""

from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.alerts.models import Comparison, Rule, RuleSource

SEVERITIES = ("info", "warning", "critical")
BANDS = ("info_lower", "info", "warning_lower", "warning", "critical_lower", "critical")
LASTING = ("hysteresis", "duration_s")


class Shape(NamedTuple):
    kind: str
    comparison: str
    label: str | Promise
    hint: str | Promise
    fields: tuple[str, ...]

    @property
    def name(self) -> str:
        return self.comparison or self.kind

    @property
    def has_limits(self) -> bool:
        return "warning" in self.fields


LABELS: dict[str, tuple[str | Promise, str | Promise]] = {
    "above": (pgettext_lazy("rule", "Too high"), _("A metric is at or above a limit.")),
    "below": (pgettext_lazy("rule", "Too low"), _("A metric is at or below a limit.")),
    "outside": (pgettext_lazy("rule", "Out of its band"), _("A metric leaves the band where it belongs.")),
    "rising": (pgettext_lazy("rule", "Rising fast"), _("A metric rises by so much a minute.")),
    "falling": (pgettext_lazy("rule", "Falling fast"), _("A metric falls by so much a minute.")),
    "absent": (pgettext_lazy("rule", "Missing"), _("A terminal is there, but reports a metric no more.")),
    "presence": (pgettext_lazy("rule", "Away"), _("Nothing is heard of a terminal.")),
    "event": (pgettext_lazy("rule", "Event"), _("A terminal tells that something happened.")),
    "firmware": (
        pgettext_lazy("rule", "Other firmware"),
        _("A terminal runs another firmware than is wanted, or than most of its model."),
    ),
    "clock": (pgettext_lazy("rule", "Wrong clock"), _("A terminal's clock is not that of TMS.")),
}
FIELDS: dict[str, tuple[str, ...]] = {
    Comparison.ABOVE: ("metric", *SEVERITIES, *LASTING),
    Comparison.BELOW: ("metric", *SEVERITIES, *LASTING),
    Comparison.OUTSIDE: ("metric", *BANDS, *LASTING),
    Comparison.RISING: ("metric", "window_s", *SEVERITIES, *LASTING),
    Comparison.FALLING: ("metric", "window_s", *SEVERITIES, *LASTING),
    Comparison.ABSENT: ("metric", *SEVERITIES),
    RuleSource.PRESENCE: ("presence", "duration_s", "severity"),
    RuleSource.EVENT: (
        "event_code",
        "clear_code",
        "clear_after_s",
        "may_be_resolved_by_hand",
        "duration_s",
        "severity",
    ),
    RuleSource.FIRMWARE: ("firmware", "duration_s", "severity"),
    RuleSource.CLOCK: (*SEVERITIES, *LASTING),
}


def _shape(name: str) -> Shape:
    is_metric = name in Comparison.values
    return Shape(RuleSource.METRIC.value if is_metric else name, name if is_metric else "", *LABELS[name], FIELDS[name])


SHAPES = {name: _shape(name) for name in LABELS}


def shape_of(rule: Rule) -> Shape:
    return SHAPES[rule.shape]
