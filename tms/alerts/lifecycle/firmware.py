"""Rules that the clock evaluates, because what they expect changes without a report: those on firmware, and those of
apps above this one.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from itertools import batched
from typing import NamedTuple

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


class Watched(NamedTuple):
    """What the rules of a source find."""

    matching: Callable[[Rule, datetime], set[int]]
    """The terminals that match a rule now."""
    has_lasted: bool = False
    """Whether it finds only those that have matched for the rule's duration already."""


def follow_all(at: datetime) -> None:
    """One pass of the clock."""
    rules = Rule.objects.enabled().filter(kind__in=list(WATCHED))
    each(rules, partial(follow, at=at), loop="firmware")


def follow(rule: Rule, *, at: datetime) -> None:
    """Trigger for the terminals that match now, and clear for the others."""
    watched = WATCHED[rule.kind]
    found, duration_s = watched.matching(rule, at), 0.0 if watched.has_lasted else rule.duration_s
    active = set(Condition.objects.filter(rule=rule).values_list("terminal", flat=True))

    def apply(chunk: Sequence[int]) -> int:
        store.lock(chunk)
        lifecycle.apply_events([_rule_event(rule, pk, at, duration_s if pk in found else None) for pk in chunk])
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


def _rule_event(rule: Rule, terminal_id: int, at: datetime, duration_s: float | None) -> RuleEvent:
    """None for a terminal that does not match."""
    if duration_s is not None:
        return RuleTriggered(rule.pk, terminal_id, at, duration_s)
    return RuleCleared(rule.pk, terminal_id, at)


WATCHED: dict[str, Watched] = {RuleSource.FIRMWARE: Watched(lambda rule, _at: mismatched(rule))}
"""What each source of rules watches. Apps above this one add theirs when they are ready."""
