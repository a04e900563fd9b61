"""Firmware rules: which terminals run another firmware than expected.

The clock evaluates them, because the expected firmware and the most common firmware of a model change without a report.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from itertools import batched

from django.db import models

from tms.alerts import lifecycle
from tms.alerts.lifecycle import RuleCleared, RuleEvent, RuleTriggered
from tms.alerts.models import Condition, Rule, RuleSource
from tms.alerts.rules.compiled import terminals_of
from tms.fleet.models import Terminal
from tms.fleet.presence import store
from tms.lib.set_aside import SetAside, each, isolate

MIN_TERMINALS = 3
"""Minimum number of terminals of a model for its most common firmware to count."""
CHUNK = 500
"""Terminals per transaction."""

not_followed = SetAside[int]("firmware")


def follow_all(at: datetime) -> None:
    """One pass of the clock."""
    rules = Rule.objects.enabled().filter(kind=RuleSource.FIRMWARE)
    each(rules, partial(follow, at=at), loop="firmware")


def follow(rule: Rule, *, at: datetime) -> None:
    """Trigger for the terminals that mismatch now, and clear for the others."""
    found = mismatched(rule)
    active = set(Condition.objects.filter(rule=rule).values_list("terminal", flat=True))

    def apply(chunk: Sequence[int]) -> int:
        store.lock(chunk)
        lifecycle.apply_events([_rule_event(rule, terminal_id, terminal_id in found, at) for terminal_id in chunk])
        return len(chunk)

    for chunk in batched(sorted((found ^ active) - set(not_followed.keys(at))), CHUNK):
        isolate(chunk, apply, aside=not_followed, at=at)


def mismatched(rule: Rule) -> set[int]:
    """Terminals whose firmware differs from that of the rule, or from that of more than half of their model."""
    terminals = terminals_of(rule).exclude(firmware="").order_by()
    if rule.firmware:
        return set(terminals.exclude(firmware=rule.firmware).values_list("pk", flat=True))
    most_common = most_common_firmware(terminals)
    rows = terminals.filter(model__in=most_common).values_list("pk", "model", "firmware")
    return {pk for pk, model, firmware in rows if firmware != most_common[model]}


def most_common_firmware(terminals: models.QuerySet[Terminal]) -> dict[str, str]:
    """The firmware of more than half of each model. Models without such a majority are left out."""
    by_model: dict[str, Counter[str]] = {}
    counts = terminals.exclude(model="").values_list("model", "firmware").annotate(models.Count("pk"))
    for model, firmware, number in counts:
        by_model.setdefault(model, Counter())[firmware] = number
    most_common = {}
    for model, of_model in by_model.items():
        (firmware, number), *_ = of_model.most_common(1)
        if of_model.total() >= MIN_TERMINALS and number * 2 > of_model.total():
            most_common[model] = firmware
    return most_common


def _rule_event(rule: Rule, terminal_id: int, is_mismatch: bool, at: datetime) -> RuleEvent:
    if is_mismatch:
        return RuleTriggered(rule.pk, terminal_id, at, rule.duration_s)
    return RuleCleared(rule.pk, terminal_id, at)
