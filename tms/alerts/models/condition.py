"""Rules that are active for terminals."""

from django.db import models

from tms.alerts.models.rule import Rule
from tms.fleet.models import Terminal
from tms.lib.severity import Severity


class Condition(models.Model):
    """A rule that is active for a terminal. The alert opens at `due_at`, which is null from then on."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="conditions")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="conditions")
    since = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    lapses_at = models.DateTimeField(null=True)
    value = models.FloatField(null=True)
    severity = models.CharField(max_length=16, choices=Severity, blank=True, default="", db_default="")
    """The severity that was reached; empty for that of the rule."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("rule", "terminal"), name="condition_once"),)
        indexes = (
            models.Index(fields=("due_at",), name="condition_due", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=("lapses_at",), name="condition_lapses", condition=models.Q(lapses_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.rule_id} {self.terminal_id}"
