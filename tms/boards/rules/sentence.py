"""A rule as a sentence, so that a person reads what it will do before it does it."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

from tms.alerts.models import Rule, RuleHours
from tms.fleet.models import TerminalKind
from tms.lib.durations import written
from tms.lib.severity import Severity
from tms.telemetry import metric_names

WHEN: Mapping[str, str | Promise] = {
    "above": _("When {metric} of {who} is at {limit} or above, open a {severity} alert"),
    "below": _("When {metric} of {who} is at {limit} or below, open a {severity} alert"),
    "outside": _("When {metric} of {who} is not between {lower_limit} and {limit}, open a {severity} alert"),
    "rising": _("When {metric} of {who} rises by {limit} a minute over {window}, open a {severity} alert"),
    "falling": _("When {metric} of {who} falls by {limit} a minute over {window}, open a {severity} alert"),
    "absent": _("When {who} is there but has not reported {metric} for {limit}, open a {severity} alert"),
    "presence": _("When {who} is {presence}, open a {severity} alert"),
    "event": _("When {who} tells of {event}, open a {severity} alert"),
    "firmware": _("When {who} does not run {firmware}, open a {severity} alert"),
    "clock": _("When the clock of {who} is wrong by {limit}, open a {severity} alert"),
}


def sentence(rule: Rule) -> SafeString:
    """Of a valid rule."""
    when = format_html(str(WHEN[rule.shape]), **_values(rule))
    higher = format_html_join("", "{}", ((_higher(rule, one),) for one in rule.higher_thresholds))
    rest = format_html_join("", " {}", ((clause,) for clause in _clauses(rule)))
    return format_html("{}{}{}{}", when, higher, gettext("."), rest)


def where(rule: Rule) -> str:
    """Which terminals it is about."""
    told = [TerminalKind(rule.terminal_kind).label if rule.terminal_kind else gettext("any terminal")]
    if rule.model:
        told.append(gettext("model %s") % rule.model)
    if rule.site:
        told.append(rule.site.local_name)
    if rule.group:
        told.append(gettext("group %s") % rule.group.name)
    return ", ".join(map(str, told))


def limit_text(rule: Rule, limit: float | None) -> str:
    """A limit in its unit."""
    if limit is None:
        return ""
    if rule.shape in {"absent", "clock"}:
        return written(limit)
    return f"{limit:g}{metric_names.metric(rule.metric).unit}"


def _values(rule: Rule) -> dict[str, Any]:
    told = {
        "metric": str(metric_names.metric(rule.metric).label),
        "who": where(rule),
        "limit": limit_text(rule, rule.limit),
        "lower_limit": limit_text(rule, rule.lower_limit),
        "window": written(rule.window_s),
        "severity": _severity(rule.severity),
        "presence": gettext("silent or offline") if rule.presence == "silent" else gettext("offline"),
        "event": rule.event_code,
        "firmware": rule.firmware or gettext("what most of its model run"),
    }
    return {name: _bold(text) for name, text in told.items()}


def _higher(rule: Rule, threshold: Mapping[str, Any]) -> SafeString:
    limit, lower = limit_text(rule, threshold["limit"]), limit_text(rule, threshold.get("lower_limit"))
    if lower:
        text = gettext(", a {severity} one outside of {lower_limit} and {limit}")
    else:
        text = gettext(", a {severity} one from {limit}")
    severity = _bold(_severity(threshold["severity"]))
    return format_html(text, severity=severity, limit=_bold(limit), lower_limit=_bold(lower))


def _clauses(rule: Rule) -> list[SafeString]:
    told = []
    if rule.duration_s:
        told.append(format_html(gettext("It has to last {span}."), span=_bold(written(rule.duration_s))))
    if rule.hours == RuleHours.OPEN:
        told.append(format_html("{}", gettext("It counts only while the site is open.")))
    if not rule.watches_flapping:
        told.append(format_html("{}", gettext("Each time it opens is an alert of its own, however often that is.")))
    if rule.hysteresis:
        back = _bold(limit_text(rule, rule.hysteresis))
        told.append(format_html(gettext("It lets go more than {back} back from the limit."), back=back))
    if rule.clear_code:
        told.append(format_html(gettext("It ends with {event}."), event=_bold(rule.clear_code)))
    if rule.clear_after_s:
        span = _bold(written(rule.clear_after_s))
        told.append(format_html(gettext("It ends when it did not come again for {span}."), span=span))
    return told


def _severity(name: str) -> str:
    words = {
        Severity.CRITICAL: pgettext("in a sentence", "critical"),
        Severity.WARNING: pgettext("in a sentence", "warning"),
        Severity.INFO: pgettext("in a sentence", "info"),
    }
    return words[Severity(name)]


def _bold(text: str) -> SafeString:
    return format_html("<b>{}</b>", text)
