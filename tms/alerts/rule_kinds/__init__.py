"""The registry of rule kinds: one object per kind, by name.

A new kind is a class in `metric` or `state`. Choices, forms, sentences, previews, plots and REST are derived from it.
"""

from abc import ABC
from collections.abc import Iterator, Mapping

from django.utils.functional import Promise

from tms.alerts.rule_kinds import metric, state
from tms.alerts.rule_kinds.base import RuleKind
from tms.alerts.rule_kinds.sources import RuleSource

type Choices = list[tuple[str, str | Promise]]


def _declared_kinds() -> Iterator[type[RuleKind]]:
    """Every rule kind of both modules, in the order of the choices."""
    classes = (value for module in (metric, state) for value in vars(module).values() if isinstance(value, type))
    return (value for value in classes if issubclass(value, RuleKind) and ABC not in value.__bases__)


RULE_KINDS: Mapping[str, RuleKind] = {kind.name: kind() for kind in _declared_kinds()}


def source_choices() -> Choices:
    """Choices of `Rule.kind`. A function, so that a new source needs no migration; 0001_initial refers to it."""
    return [(source.value, source.label) for source in RuleSource]


def comparison_choices() -> Choices:
    """Choices of `Rule.comparison`, like `source_choices`."""
    return [(kind.comparison, kind.label) for kind in RULE_KINDS.values() if kind.comparison]
