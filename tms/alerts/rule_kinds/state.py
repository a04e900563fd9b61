"""Kinds of rules on the state of a terminal: its presence, events, firmware, configuration and clock."""

from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.alerts.rule_kinds.base import LASTING, SEVERITIES, History, RuleFacts, RuleKind, ValueFacts, key_of
from tms.alerts.rule_kinds.evaluation import (
    ClockRule,
    CompiledRule,
    ConfigurationRule,
    EventRule,
    FirmwareRule,
    PresenceRule,
)
from tms.alerts.rule_kinds.sources import RuleSource
from tms.lib.calendar.durations import duration_text


class Away(RuleKind):
    source = RuleSource.PRESENCE
    name = source.value
    label = pgettext_lazy("rule", "Offline")
    hint = _("A terminal is silent or offline.")
    condition = _("When {who} is {presence}, open an alert with severity {severity}")
    fields = ("presence", "duration_s", "severity")
    required = ("presence",)
    history = History.PRESENCE

    def compile(self, rule: RuleFacts) -> CompiledRule:
        return PresenceRule(key_of(rule), rule.presence, rule.duration_s)

    def placeholders(self, rule: RuleFacts) -> dict[str, str]:
        return {"presence": gettext("silent or offline") if rule.presence == "silent" else gettext("offline")}


class EventSeen(RuleKind):
    source = RuleSource.EVENT
    name = source.value
    label = pgettext_lazy("rule", "Event")
    hint = _("A terminal reports an event.")
    condition = _("When {who} reports {event}, open an alert with severity {severity}")
    fields = ("event_code", "clear_code", "clear_after_s", "may_be_resolved_by_hand", "duration_s", "severity")
    required = ("event_code",)
    history = History.EVENTS

    def compile(self, rule: RuleFacts) -> CompiledRule:
        return EventRule(key_of(rule), rule.event_code, rule.clear_code, rule.clear_after_s, rule.duration_s)

    def placeholders(self, rule: RuleFacts) -> dict[str, str]:
        return {"event": rule.event_code}


class OtherFirmware(RuleKind):
    source = RuleSource.FIRMWARE
    name = source.value
    label = pgettext_lazy("rule", "Firmware mismatch")
    hint = _("A terminal runs a different firmware than expected, or than most of its model.")
    condition = _("When {who} does not run {firmware}, open an alert with severity {severity}")
    fields = ("firmware", "duration_s", "severity")
    history = History.NONE

    def compile(self, rule: RuleFacts) -> CompiledRule:
        return FirmwareRule(key_of(rule), rule.firmware, rule.duration_s)

    def placeholders(self, rule: RuleFacts) -> dict[str, str]:
        return {"firmware": rule.firmware or gettext("the version most of its model run")}


class OtherConfiguration(RuleKind):
    source = RuleSource.CONFIGURATION
    name = source.value
    label = pgettext_lazy("rule", "Configuration differs")
    hint = _("A terminal reports another configuration than it shall have.")
    condition = _("When the configuration of {who} differs, open an alert with severity {severity}")
    fields = ("duration_s", "severity")
    history = History.NONE

    def compile(self, rule: RuleFacts) -> CompiledRule:
        return ConfigurationRule(key_of(rule), rule.duration_s)


class WrongClock(RuleKind):
    source = RuleSource.CLOCK
    name = source.value
    label = pgettext_lazy("rule", "Wrong clock")
    hint = _("A terminal's clock differs from the clock of TMS.")
    condition = _("When the clock of {who} is off by {limit}, open an alert with severity {severity}")
    fields = (*SEVERITIES, *LASTING)
    required = ("limit",)
    history = History.REPORTS

    def compile(self, rule: RuleFacts) -> CompiledRule:
        return ClockRule(key_of(rule), self.thresholds(rule), rule.hysteresis, rule.duration_s)

    def placeholders(self, rule: RuleFacts) -> dict[str, str]:
        return {"limit": self.format_limit(rule, rule.limit)}

    def unit(self, metric: str) -> str:
        return "s"

    def format_limit(self, rule: RuleFacts, limit: float | None) -> str:
        return "" if limit is None else duration_text(limit)

    def describe_value(self, alert: ValueFacts) -> str:
        values = {"value": duration_text(round(alert.value or 0)), "limit": duration_text(alert.limit or 0)}
        return gettext("clock off by %(value)s, threshold %(limit)s") % values
