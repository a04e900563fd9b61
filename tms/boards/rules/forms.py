"""The form of a rule, with the fields of its kind."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.access import Person, visible
from tms.alerts.models import Rule, RuleHours
from tms.alerts.models.rule import RUNBOOK_LENGTH
from tms.alerts.rule_kinds.base import RuleKind
from tms.boards.rules.rule_list import known_metrics
from tms.fleet.models import Group, Presence, Site, TerminalKind
from tms.lib.calendar.durations import SpanField
from tms.lib.severity import Severity
from tms.lib.text_fields import FormLine, FormLines
from tms.telemetry import metric_names

THRESHOLD_LABELS = {
    "info": _("Info threshold"),
    "warning": _("Warning threshold"),
    "critical": _("Critical threshold"),
    "info_lower": _("Info lower threshold"),
    "warning_lower": _("Warning lower threshold"),
    "critical_lower": _("Critical lower threshold"),
}
AS_FIELD = {"limit": "", "lower_limit": "_lower"}
"""Suffixes of a threshold's fields."""
OWN = (("metric", "window_s"), ("presence",), ("event_code", "clear_code"), ("firmware",))
SEVERITIES = ("info", "warning", "critical")
BANDS = tuple((f"{severity}_lower", severity) for severity in SEVERITIES)
LAST = ("hysteresis", "duration_s", "clear_after_s", "may_be_resolved_by_hand", "hours")
FLAPPING = ("watches_flapping",)
RUNBOOK = ("runbook",)
LISTED = {"metric", "model"}
DURATION_LABELS = {"info": _("Info after"), "warning": _("Warning after"), "critical": _("Critical after")}


SUGGESTED: Mapping[str, Any] = {
    "hours": RuleHours.ALWAYS.value,
    "watches_flapping": True,
    "severity": Severity.WARNING.value,
    "window_s": 300.0,
    "duration_s": 60.0,
    "hysteresis": 0,
}
"""Values of the fields of a new rule."""


class NumberField(forms.FloatField):
    """Writes 60.0 as 60."""

    def prepare_value(self, value: Any) -> Any:
        return f"{value:g}" if isinstance(value, float) else value


def _is_identifier(text: str) -> bool:
    try:
        Rule._meta.get_field("metric").run_validators(text)
    except ValidationError:
        return False
    return True


class MetricField(FormLine):
    """Shows a metric by its name for people, and cleans to its identifier."""

    known: Sequence[str] = ()
    """Metrics that terminals report, beside those of the catalogue."""

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        return metric_names.named(text, self.known) if isinstance(text, str) else text

    def validate(self, value: Any) -> None:
        super().validate(value)
        if not _is_identifier(value):
            raise ValidationError(_("No metric has this name. Choose one from the list, such as CPU."))

    def prepare_value(self, value: Any) -> Any:
        """Another metric may have the same label: then the identifier stays."""
        if not isinstance(value, str) or not _is_identifier(value):
            return value
        label = str(metric_names.metric(value).label)
        return label if metric_names.named(label, self.known) == value else value


class RuleForm(forms.Form):
    """Creates or changes a `Rule`, which need not be saved or valid; `is_valid` also runs the rule's own validation."""

    name = FormLine(label=_("Name"), max_length=100)
    name_ja = FormLine(label=_("Japanese name"), max_length=100, required=False)
    metric = MetricField(
        label=_("Metric"), max_length=64, help_text=_("A name from the list, or an identifier such as queue_length")
    )
    presence = forms.ChoiceField(
        label=_("Presence"),
        choices=(
            (Presence.OFFLINE.value, Presence.OFFLINE.label),
            (Presence.SILENT.value, pgettext_lazy("presence", "Silent or offline")),
        ),
    )
    event_code = FormLine(label=_("Event code"), max_length=64)
    clear_code = FormLine(label=_("Clear event code"), max_length=64, required=False)
    clear_after_s = SpanField(
        label=_("Or clears after"),
        required=False,
        help_text=_("Clears if the event does not recur for this time. Leave blank: never clears."),
    )
    may_be_resolved_by_hand = forms.TypedChoiceField(
        label=_("Manual resolve"),
        choices=((False, pgettext_lazy("rule", "No")), (True, pgettext_lazy("rule", "Yes"))),
        coerce=lambda value: value == "True",
        required=False,
        empty_value=False,  # type: ignore[arg-type]  # the stubs know of text only
    )
    watches_flapping = forms.TypedChoiceField(
        label=_("When it is flapping"),
        choices=(
            (True, pgettext_lazy("flapping", "Keep as one alert until stable")),
            (False, pgettext_lazy("flapping", "Open a new alert each time")),
        ),
        coerce=lambda value: value == "True",
        required=False,
        empty_value=True,  # type: ignore[arg-type]  # the stubs know of text only
    )
    firmware = FormLine(
        label=_("Expected firmware"),
        max_length=64,
        required=False,
        help_text=_("Leave blank to use the most common version."),
    )
    window_s = SpanField(label=_("Time window"))
    hysteresis = NumberField(
        label=_("Clear margin"), min_value=0, required=False, help_text=_("How far back inside the threshold")
    )
    duration_s = SpanField(label=_("For at least"), required=False)
    hours = forms.ChoiceField(label=_("Active"), choices=RuleHours.choices)
    severity = forms.ChoiceField(label=_("Severity"), choices=Severity.choices, widget=forms.RadioSelect)
    site = forms.ModelChoiceField(Site.objects.none(), label=_("Site"), required=False, empty_label=_("All sites"))
    group = forms.ModelChoiceField(Group.objects.none(), label=_("Group"), required=False, empty_label=_("Any group"))
    model = FormLine(label=_("Model"), max_length=64, required=False)
    terminal_kind = forms.ChoiceField(
        label=_("Kind"), required=False, choices=(("", _("All kinds")), *TerminalKind.choices)
    )
    runbook = FormLines(
        label=_("Runbook"),
        max_length=RUNBOOK_LENGTH,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text=_("Markdown steps, or a link to your runbook"),
    )
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    always = (
        "name",
        "name_ja",
        "hours",
        "watches_flapping",
        "site",
        "group",
        "model",
        "terminal_kind",
        "runbook",
        "version",
    )

    def __init__(self, kind: RuleKind, rule: Rule, *, person: Person, data: Mapping[str, str] | None = None) -> None:
        super().__init__(data, initial=_initial(kind, rule) if rule.pk else dict(SUGGESTED))
        self.kind = kind
        self.rule = rule
        self.fields |= {name: self._threshold_field(name) for name in kind.fields if name in THRESHOLD_LABELS}
        for name in set(self.fields) - {*self.always, *kind.fields}:
            del self.fields[name]
        if isinstance(metric := self.fields.get("metric"), MetricField):
            metric.known = [one.name for one in known_metrics(to=person)]
        for name, rows in (("site", Site.objects.all()), ("group", Group.objects.all())):
            field = self.fields[name]
            assert isinstance(field, forms.ModelChoiceField)
            field.queryset = visible(rows, to=person)
        for name, field in self.fields.items():
            if name != "severity":
                field.widget.attrs |= {"class": "input"} | ({"list": f"known-{name}s"} if name in LISTED else {})

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors:
            self._fill(cleaned)
        return cleaned

    def _threshold_field(self, name: str) -> forms.Field:
        if self.kind.has_duration_limits:
            return SpanField(label=DURATION_LABELS[name], required=False)
        return NumberField(label=THRESHOLD_LABELS[name], required=False)

    def _fill(self, cleaned: dict[str, Any]) -> None:
        """Copy the input to the rule, and validate it."""
        rule = self.rule
        rule.kind, rule.comparison = self.kind.source.value, self.kind.comparison
        thresholds = [one for one in (self._threshold(severity, cleaned) for severity in reversed(Severity)) if one]
        if self.kind.has_thresholds and not thresholds:
            self.add_error("warning", _("Enter a threshold for at least one severity."))
            return
        for name in set(cleaned) - {*THRESHOLD_LABELS, "version"}:
            empty = 0.0 if name.endswith("_s") or name == "hysteresis" else ""
            setattr(rule, name, empty if cleaned[name] is None and name not in {"site", "group"} else cleaned[name])
        if thresholds:
            first, *rule.higher_thresholds = thresholds
            rule.severity, rule.limit, rule.lower_limit = first["severity"], first["limit"], first.get("lower_limit")
        try:
            rule.full_clean()
        except ValidationError as error:
            for field, messages in error.message_dict.items():
                self.add_error(self._field_of(field), messages)

    def _threshold(self, severity: str, cleaned: dict[str, Any]) -> dict[str, Any]:
        """The threshold; empty if nothing was entered."""
        threshold = {name: cleaned.get(severity + ending) for name, ending in AS_FIELD.items()}
        found = {name: value for name, value in threshold.items() if value is not None}
        return {"severity": severity, **found} if found else {}

    def _field_of(self, name: str) -> str | None:
        """The form field of a rule's field; None for the form as a whole."""
        severities = [one["severity"] for one in self.rule.thresholds]
        fields = {"limit": severities[0], "lower_limit": f"{severities[0]}_lower", "higher_thresholds": severities[-1]}
        field = fields.get(name, name)
        return field if field in self.fields else None

    @property
    def rows(self) -> list[list[tuple[forms.BoundField, str]]]:
        """The fields of this kind, in reading order, with the unit of each."""
        rows = BANDS if "warning_lower" in self.fields else (SEVERITIES,)
        there = ([name for name in row if name in self.fields] for row in (*OWN, *rows, LAST, FLAPPING, RUNBOOK))
        return [[(self[name], self._unit_of(name)) for name in row] for row in there if row]

    def _unit_of(self, name: str) -> str:
        is_limit = name in THRESHOLD_LABELS or name == "hysteresis"
        return self.unit if is_limit and not isinstance(self.fields[name], SpanField) else ""

    @property
    def unit(self) -> str:
        """The unit of the thresholds."""
        metric = self.fields.get("metric")
        name = metric.to_python(self["metric"].value()) if isinstance(metric, MetricField) else ""
        return self.kind.unit(str(name or ""))


def _initial(kind: RuleKind, rule: Rule) -> dict[str, Any]:
    known = {name: getattr(rule, name, None) for name in (*RuleForm.base_fields, *kind.fields)}
    known |= {"site": rule.site_id, "group": rule.group_id}
    if not rule.clear_after_s:
        known["clear_after_s"] = ""
    if kind.has_thresholds:
        known |= {one["severity"]: one["limit"] for one in rule.thresholds}
        known |= {f"{one['severity']}_lower": one.get("lower_limit") for one in rule.thresholds}
    return known
