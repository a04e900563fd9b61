"""The list of rules on each of their pages, and the suggestions of its forms."""

from collections.abc import Sequence
from typing import NamedTuple

from django.db.models import Count

from tms.accounts.access import Person, visible
from tms.alerts.models import Alert, Rule
from tms.boards.rules.sentence import where
from tms.fleet.models import Presence, Terminal, TerminalState
from tms.telemetry import metric_names

MAX_SAMPLED = 50
"""Number of terminals whose metric names are suggested."""


class RuleLine(NamedTuple):
    rule: Rule
    severity: str
    """The highest severity it can reach."""
    what: str
    where: str
    unresolved: int


def lines(*, to: Person) -> list[RuleLine]:
    rows = visible(Rule.objects.not_deleted(), to=to).select_related("site", "group")
    alerts = visible(Alert.objects.unresolved(), to=to)
    unresolved = dict(alerts.order_by().values_list("rule").annotate(Count("pk")))
    found = [
        RuleLine(
            rule,
            rule.thresholds[-1]["severity"],
            str(rule.kind_object.label),
            where(rule),
            unresolved.get(rule.pk, 0),
        )
        for rule in rows
    ]
    return sorted(found, key=lambda line: (not line.rule.enabled, line.rule.local_name))


class KnownMetric(NamedTuple):
    name: str
    now: str
    """The lowest and the highest value that terminals report now; empty if none does."""


def known_metrics(*, to: Person) -> list[KnownMetric]:
    """Metrics that terminals report now, and common ones, by the names that people read."""
    online = visible(TerminalState.objects.filter(presence=Presence.ONLINE), to=to).order_by("-pk")
    values: dict[str, list[float]] = {name: [] for name in metric_names.LABELS}
    for reported in online.values_list("metrics", flat=True)[:MAX_SAMPLED]:
        for name, value in reported.items():
            values.setdefault(name, []).append(value)
    known = [KnownMetric(name, _now(name, now)) for name, now in values.items()]
    return sorted(known, key=lambda one: str(metric_names.metric(one.name).label))


def _now(name: str, values: Sequence[float]) -> str:
    if not values:
        return ""
    lowest, highest = metric_names.worded(name, min(values)), metric_names.worded(name, max(values))
    return highest if lowest == highest else metric_names.between(name, min(values), max(values))


def known_models(*, to: Person) -> list[str]:
    terminals = visible(Terminal.objects.exclude(model=""), to=to)
    models = terminals.order_by("model").values_list("model", flat=True)
    return list(models.distinct()[:MAX_SAMPLED])
