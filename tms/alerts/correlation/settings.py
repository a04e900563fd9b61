"""The correlation settings."""

from collections.abc import Iterable

from django.db import transaction

from tms.accounts.audit import recorder
from tms.alerts.models.incident import CorrelationRule


@transaction.atomic
def save(rules: Iterable[CorrelationRule]) -> None:
    for rule in rules:
        with recorder.change(rule):
            rule.save()


@transaction.atomic
def reset() -> None:
    """Reset to the defaults."""
    for rule in CorrelationRule.objects.select_for_update():
        recorder.record("reset", rule)
        rule.delete()
