"""The cache of rules in tests."""

from tms.alerts.rules.cache import rule_cache
from tms.alerts.rules.compiled import RuleSet
from tms.feed.change import Change


def empty_rule_cache() -> None:
    """Discard the rules of earlier tests; the next evaluation reads the database."""
    rule_cache().snapshot = RuleSet()
    rule_cache().changed(Change(rules=True))
