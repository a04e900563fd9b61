"""The registry of rule kinds: one object each, by its name.

A new kind is a class in `metric` or `state`, its member in `sources`, and the migration of the field's choices.
"""

from collections.abc import Mapping

from tms.alerts.rule_kinds.base import RuleKind
from tms.alerts.rule_kinds.metric import METRIC_KINDS
from tms.alerts.rule_kinds.state import STATE_KINDS

RULE_KINDS: Mapping[str, RuleKind] = {kind.name: kind for kind in (*METRIC_KINDS, *STATE_KINDS)}
"""In the order in which people choose from them."""
