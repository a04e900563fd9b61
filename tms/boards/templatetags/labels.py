"""Labels of names and values in templates: texts, units, short forms."""

import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from django import template
from django.db.models import TextChoices
from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.alerts.actions.registry import ACTIONS
from tms.alerts.models import AlertState, Contract, IncidentState, IncidentTransitionKind, TransitionKind
from tms.alerts.models.kind_traits import Traits
from tms.alerts.rule_kinds import RULE_KINDS
from tms.boards.overview.honeycomb import SiteCell
from tms.boards.rows import outages
from tms.boards.rows.alerts import AlertRow
from tms.boards.rows.common import SiteLabel
from tms.boards.rows.site_details import Square
from tms.boards.rows.terminals import ReadingCell
from tms.boards.rows.timeline import OUTAGE_ICONS
from tms.commands.kinds import CATALOG
from tms.commands.models import CommandState
from tms.fleet.models import Cause, IdentityField, Lifecycle, Presence, TerminalKind
from tms.fleet.models.node import NodeState
from tms.fleet.models.outage import OutageCause
from tms.fleet.nodes.dropped_terminals import DroppedTerminals
from tms.fleet.sites.names import Bilingual
from tms.lib.calendar.durations import spell
from tms.lib.calendar.repetition import repetition_text
from tms.lib.severity import Severity
from tms.telemetry import metric_names
from tms.telemetry.history import series

register = template.Library()

HAPPENED = {
    "online": pgettext_lazy("presence in a sentence", "back online"),
    "first": pgettext_lazy("presence in a sentence", "online for the first time"),
    "silent": pgettext_lazy("presence in a sentence", "silent"),
    "rebooting": pgettext_lazy("presence in a sentence", "rebooting"),
    "closed": pgettext_lazy("presence in a sentence", "closed"),
    "offline": pgettext_lazy("presence in a sentence", "offline"),
    "never": pgettext_lazy("presence in a sentence", "never seen"),
}
PAGE_LABELS = {
    "overview": pgettext_lazy("page of a viewer", "viewing the overview"),
    "sites": pgettext_lazy("page of a viewer", "viewing sites"),
    "site": pgettext_lazy("page of a viewer", "viewing a site"),
    "terminals": pgettext_lazy("page of a viewer", "viewing terminals"),
    "terminal": pgettext_lazy("page of a viewer", "viewing a terminal"),
    "alerts": pgettext_lazy("page of a viewer", "viewing alerts"),
    "alert": pgettext_lazy("page of a viewer", "viewing an alert"),
    "incident": pgettext_lazy("page of a viewer", "viewing an incident"),
    "incidents": pgettext_lazy("page of a viewer", "viewing incidents"),
    "maintenance": pgettext_lazy("page of a viewer", "viewing maintenance"),
    "wall": pgettext_lazy("page of a viewer", "viewing the wall"),
}
DROPPED_BY = {
    NodeState.RUNNING: _("TMS node %(node)s restarted"),
    NodeState.DRAINING: _("TMS node %(node)s is stopping"),
    NodeState.STOPPED: _("TMS node %(node)s was stopped"),
    NodeState.LOST: _("TMS node %(node)s was lost"),
}
LINE_BREAK = SafeString("&#10;")
FACTORS = {
    "site": _("Site"),
    "group": _("Group"),
    "rule": _("Rule"),
    "model": _("Model"),
    "firmware": _("Firmware"),
    "node": _("TMS node"),
}
COMMAND_ICONS = {"queued": "clock", "sent": "rebooting", "done": "check", "failed": "close", "expired": "close"}
LABELLED: Mapping[str, type[TextChoices]] = {
    "contract_label": Contract,
    "severity_label": Severity,
    "alert_state": AlertState,
    "outage_label": OutageCause,
    "kind_label": TerminalKind,
    "lifecycle_label": Lifecycle,
    "command_state": CommandState,
    "transition_label": TransitionKind,
    "incident_state": IncidentState,
    "incident_transition_label": IncidentTransitionKind,
}
"""Filters that return the label of a value."""
IDENTITY_KINDS: Mapping[str, type[TextChoices]] = {
    IdentityField.KIND: TerminalKind,
    IdentityField.LIFECYCLE: Lifecycle,
}
"""Identity fields whose values have labels."""
TRAITS: Mapping[str, Traits] = {kind.value: kind.traits for kind in (*TransitionKind, *IncidentTransitionKind)}
MAX_SHORT_LENGTH = 4


@register.filter
def metric_label(name: str) -> str | Promise:
    return metric_names.metric(name).label


@register.filter
def worded(reading: ReadingCell) -> str:
    """A reading with its unit."""
    return metric_names.worded(reading.metric, reading.value)


@register.filter
def with_unit(name: str, value: float | None) -> str:
    return metric_names.worded(name, value)


@register.filter
def between(name: str, reading: series.ReadingRange) -> str:
    """`58–67 °C`."""
    return metric_names.between(name, reading.lowest, reading.highest)


@register.filter
def listed(names: Iterable[object]) -> str:
    return gettext(", ").join(map(str, names))


@register.filter
def grouped(number: int) -> str:
    return f"{number:,}"


@register.filter
def signed(number: int) -> str:
    return f"{number:+,}".replace("-", "−")


@register.filter
def iso(at: datetime | None) -> str:
    return at.isoformat() if at else ""


@register.filter(name="json")
def as_json(value: object) -> str:
    """The value as JSON for an attribute; the template escapes it."""
    return json.dumps(value, ensure_ascii=False)


@register.filter
def short(site_label: SiteLabel) -> str:
    """The text of a cell: the code, or in Japanese the name if it is short enough."""
    name = str(site_label.name)
    return (
        name
        if get_language() == "ja" and name == site_label.name.ja and len(name) <= MAX_SHORT_LENGTH
        else site_label.code
    )


@register.filter
def cell_text(cell: SiteCell) -> str:
    """A cell in words for screen readers, without its number."""
    terminals = ngettext("%(number)s terminal", "%(number)s terminals", cell.terminals) % {"number": cell.terminals}
    values = {"site": cell.site_label.name, "terminals": terminals, "worst": _worst(cell.worst)}
    return gettext("%(site)s, %(terminals)s, %(worst)s") % values


def _worst(name: str) -> str | Promise:
    if name in Severity.values:
        return Severity(name).label
    return Presence(name).label if name in Presence.values else gettext("normal")


@register.filter
def square_text(square: Square) -> str:
    """A terminal in the comb of its kind in words, for screen readers and pointers: its colour says no more."""
    if square.worst == "ok":
        return square.uid
    worst = gettext("planned absence") if square.worst == "expected" else _worst(square.worst)
    return gettext("%(uid)s, %(worst)s") % {"uid": square.uid, "worst": worst}


@register.filter
def what_happened(dropped: DroppedTerminals) -> str:
    """What happened to a node of TMS, so that its terminals lost their links."""
    return DROPPED_BY[NodeState(dropped.state)] % {"node": dropped.node}


@register.filter
def page_label(page: str) -> str | Promise:
    return PAGE_LABELS.get(page, "")


@register.filter
def repeats(rule: str) -> str:
    """Recurrence of a maintenance window; a rule that the form cannot express is shown as it is."""
    return repetition_text(rule)


@register.filter
def factor_label(name: str) -> str | Promise:
    return FACTORS[name]


@register.filter
def identity_label(field: str) -> str:
    return capfirst(str(IdentityField(field).label))


@register.filter
def identity_value(value: str, field: str) -> str:
    """A value of an identity change in words."""
    if not value:
        return pgettext("value of an identity change", "none")
    kind = IDENTITY_KINDS.get(field)
    return str(kind(value).label) if kind and value in kind.values else value


@register.filter
def command_icon(state: str) -> str:
    return COMMAND_ICONS[state]


@register.filter
def transition_icon(kind: str) -> str:
    return TRAITS[kind].icon


@register.filter
def action_label(name: str) -> str | Promise:
    return ACTIONS[name].label


@register.filter
def why_open(kind: str) -> str | Promise | None:
    """What ended the acknowledgement or the snooze of a reopened alert."""
    return TRAITS[kind].why_open


def _labels_of(kind: type[TextChoices]) -> Callable[[str], str | Promise]:
    return lambda name: kind(name).label


for _name, _kind in LABELLED.items():
    register.filter(_name, _labels_of(_kind))


@register.filter
def cause(name: str) -> str | Promise:
    return Cause(name).label if name else ""


@register.filter
def outage_icon(name: str) -> str:
    return OUTAGE_ICONS[OutageCause(name)]


@register.filter
def overrun(alert: AlertRow) -> str:
    """How far the value was beyond the threshold when the alert opened; empty for a rule without thresholds."""
    if alert.value is None or alert.limit is None:
        return ""
    return RULE_KINDS[alert.rule_kind].describe_value(alert)


@register.filter
def size(number: int) -> str:
    """Bytes in the units of the settings: 1 MB is 1,000,000 bytes. Django counts in units of 1,024."""
    if number < 1_000:
        return f"{number} B"
    shown, unit = (number / 1_000, "KB") if number < 1_000_000 else (number / 1_000_000, "MB")
    return f"{shown:,.1f}".removesuffix(".0") + f" {unit}"


register.filter("evidence", outages.evidence)
register.filter("spelt", spell)


@register.filter
def multiline(text: str) -> SafeString:
    """Text of a textarea in a part, in which line breaks count as spaces."""
    return format_html_join(LINE_BREAK, "{}", ((line,) for line in text.split("\n")))


@register.filter
def svg(number: float) -> str:
    """A number in an attribute of SVG, the same in every language."""
    return f"{number:.1f}"


@register.filter
def along(pct: float) -> str:
    """A position in per cent of the width of a curve, in its units."""
    return f"{pct * 4:.1f}"


@register.filter
def presence_label(name: str) -> str | Promise:
    return Presence(name).label if name in Presence.values else HAPPENED[name].capitalize()


@register.filter
def happened(presence: str) -> str | Promise:
    """The presence in the middle of a sentence."""
    return HAPPENED[presence]


@register.filter
def command_label(name: str | Bilingual) -> str | Promise:
    """Rows have the labels of commands that customers defined."""
    return CATALOG[name].label if isinstance(name, str) and name in CATALOG else str(name)
