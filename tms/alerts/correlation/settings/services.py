"""Changes the settings of the correlation."""

from collections.abc import Iterable

from django.db import transaction

from tms.accounts.audit import recorder
from tms.alerts.models.correlation_rule import CorrelationRule, CorrelationThresholds, SameRuleCorrelation

type Settings = type[CorrelationRule] | type[SameRuleCorrelation]


@transaction.atomic
def save(rules: Iterable[CorrelationThresholds]) -> None:
    for rule in rules:
        with recorder.change(rule):
            rule.save()


@transaction.atomic
def reset(kind: Settings = CorrelationRule) -> None:
    """Reset to the defaults."""
    for rule in kind.objects.select_for_update():
        recorder.record("reset", rule)
        rule.delete()
