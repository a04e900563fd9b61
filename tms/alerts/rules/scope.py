"""The terminals in the scope of a rule."""

from django.db import models

from tms.alerts.models.rule import Rule
from tms.fleet.models import Terminal


def terminals_of(rule: Rule) -> models.QuerySet[Terminal]:
    """The same as `RuleSet.for_terminal`, as a query."""
    wanted = {
        "site": rule.site_id,
        "groups": rule.group_id,
        "model": rule.model,
        "kind": rule.terminal_kind,
    }
    return Terminal.objects.filter(**{name: value for name, value in wanted.items() if value})
