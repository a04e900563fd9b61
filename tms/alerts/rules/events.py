"""Rule events: a rule triggered, or cleared."""

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from django.db import models

type Pair = tuple[int, int]
"""Ids of a rule and of a terminal."""


class RuleTriggered(NamedTuple):
    """A rule began to match a terminal, or matches with another severity."""

    rule_id: int
    terminal_id: int
    at: datetime
    duration_s: float = 0.0
    clear_after_s: float = 0.0
    value: float | None = None
    severity: str = ""
    """The severity; empty for that of the rule when it first triggers, and unchanged after that."""

    @property
    def pair(self) -> Pair:
        return self.rule_id, self.terminal_id


class RuleCleared(NamedTuple):
    """A rule ceased to match a terminal."""

    rule_id: int
    terminal_id: int
    at: datetime

    @property
    def pair(self) -> Pair:
        return self.rule_id, self.terminal_id


type RuleEvent = RuleTriggered | RuleCleared


def among(pairs: Collection[Pair]) -> models.Q:
    """Rows of these (rule, terminal) pairs: one IN per rule, and there are few rules."""
    by_rule: dict[int, list[int]] = {}
    for rule_id, terminal_id in pairs:
        by_rule.setdefault(rule_id, []).append(terminal_id)
    matched = models.Q(pk__in=())
    for rule_id, terminal_ids in by_rule.items():
        matched |= models.Q(rule_id=rule_id, terminal_id__in=terminal_ids)
    return matched
