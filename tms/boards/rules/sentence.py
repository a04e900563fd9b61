"""A rule as a sentence, shown before it is saved."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, pgettext

from tms.alerts.models import Rule, RuleHours
from tms.fleet.models import TerminalKind
from tms.lib.calendar.durations import duration_text
from tms.lib.severity import Severity


def sentence(rule: Rule) -> SafeString:
    """The sentence for a valid rule."""
    when = format_html(str(rule.kind_object.condition), **_values(rule))
    higher = format_html_join("", "{}", ((_higher(rule, one),) for one in rule.higher_thresholds))
    rest = format_html_join("", " {}", ((clause,) for clause in _clauses(rule)))
    return format_html("{}{}{}{}", when, higher, gettext("."), rest)


def where(rule: Rule) -> str:
    """The terminals in its scope."""
    return _scope(rule, gettext("all terminals"))


def _scope(rule: Rule, terminals: str) -> str:
    words = [TerminalKind(rule.terminal_kind).label if rule.terminal_kind else terminals]
    if rule.model:
        words.append(gettext("model %s") % rule.model)
    if rule.site:
        words.append(rule.site.local_name)
    if rule.group:
        words.append(gettext("group %s") % rule.group.name)
    return gettext(", ").join(map(str, words))


def _values(rule: Rule) -> dict[str, object]:
    values = {
        "who": _scope(rule, gettext("any terminal")),
        "severity": _severity(rule.severity),
    } | rule.kind_object.placeholders(rule)
    return {name: _bold(text) for name, text in values.items()}


def _higher(rule: Rule, threshold: Mapping[str, Any]) -> SafeString:
    written_limit = partial(rule.kind_object.format_limit, rule)
    limit, lower = written_limit(threshold["limit"]), written_limit(threshold.get("lower_limit"))
    text = gettext(", {severity} outside {lower_limit} to {limit}") if lower else gettext(", {severity} from {limit}")
    severity = _bold(_severity(threshold["severity"]))
    return format_html(text, severity=severity, limit=_bold(limit), lower_limit=_bold(lower))


def _clauses(rule: Rule) -> list[SafeString]:
    words = []
    if rule.duration_s:
        words.append(format_html(gettext("Sustained for {span}."), span=_bold(duration_text(rule.duration_s))))
    if rule.hours == RuleHours.OPEN:
        words.append(format_html("{}", gettext("Active only while the site is open.")))
    if not rule.watches_flapping:
        words.append(format_html("{}", gettext("Opens a new alert each time, even while flapping.")))
    if rule.hysteresis:
        back = _bold(rule.kind_object.format_limit(rule, rule.hysteresis))
        words.append(format_html(gettext("Clears {back} inside the threshold."), back=back))
    if rule.clear_code:
        words.append(format_html(gettext("Clears on {event}."), event=_bold(rule.clear_code)))
    if rule.clear_after_s:
        span = _bold(duration_text(rule.clear_after_s))
        words.append(format_html(gettext("Clears if it does not recur for {span}."), span=span))
    return words


def _severity(name: str) -> str:
    words = {
        Severity.CRITICAL: pgettext("in a sentence", "critical"),
        Severity.WARNING: pgettext("in a sentence", "warning"),
        Severity.INFO: pgettext("in a sentence", "info"),
    }
    return words[Severity(name)]


def _bold(text: str) -> SafeString:
    return format_html("<b>{}</b>", text)
