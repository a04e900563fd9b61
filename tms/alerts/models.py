from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

# Here Django looks for models.
from tms.alerts.rule import Comparison, Rule, RuleHours, RuleKind
from tms.alerts.window import Window
from tms.fleet.models import Terminal
from tms.telemetry.models import Severity

__all__ = [
    "Alert",
    "AlertState",
    "Comparison",
    "Condition",
    "Rule",
    "RuleHours",
    "RuleKind",
    "Transition",
    "TransitionKind",
    "Window",
]


class Condition(models.Model):
    """A rule that holds for a terminal right now. The alert opens at `due_at`, then it is null."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="conditions")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="conditions")
    since = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    lapses_at = models.DateTimeField(null=True)
    value = models.FloatField(null=True)
    severity = models.CharField(max_length=16, choices=Severity, blank=True, default="", db_default="")
    """Empty: that of the rule."""

    class Meta:
        constraints = (models.UniqueConstraint(fields=("rule", "terminal"), name="condition_once"),)
        indexes = (
            models.Index(fields=("due_at",), name="condition_due", condition=models.Q(due_at__isnull=False)),
            models.Index(fields=("lapses_at",), name="condition_lapses", condition=models.Q(lapses_at__isnull=False)),
        )

    def __str__(self) -> str:
        return f"{self.rule_id} {self.terminal_id}"


class AlertState(models.TextChoices):
    OPEN = "open", pgettext_lazy("alert", "Open")
    ACKNOWLEDGED = "acknowledged", pgettext_lazy("alert", "Acknowledged")
    RESOLVED = "resolved", pgettext_lazy("alert", "Resolved")


class AlertQuerySet(models.QuerySet["Alert"]):
    def unresolved(self) -> Self:
        """Open or acknowledged (index: alert_unresolved, read by the boards)."""
        return self.exclude(state=AlertState.RESOLVED)

    def nobody_on_it(self) -> Self:
        return self.filter(state=AlertState.OPEN)

    def by_urgency(self) -> Self:
        """Critical with nobody on it first, then by severity, then the oldest."""
        rank = models.Case(
            models.When(severity=Severity.CRITICAL, then=0), models.When(severity=Severity.WARNING, then=1), default=2
        )
        held = models.Case(models.When(state=AlertState.OPEN, then=0), default=1)
        return self.annotate(rank=rank, held=held).order_by("rank", "held", "opened_at", "pk")


class Alert(models.Model):
    """Something that needs a person: open, then acknowledged, then resolved. A recovery always wins."""

    rule = models.ForeignKey(Rule, models.PROTECT, related_name="alerts")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="alerts")
    severity = models.CharField(_("severity"), max_length=16, choices=Severity)
    state = models.CharField(_("state"), max_length=16, choices=AlertState, default=AlertState.OPEN)
    opened_at = models.DateTimeField(_("opened at"))
    value = models.FloatField(_("value"), null=True)
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="acknowledged_alerts"
    )
    comment = models.CharField(_("comment"), max_length=500, blank=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "terminal"),
                condition=~models.Q(state=AlertState.RESOLVED),
                name="alert_one_unresolved",
            ),
        )
        indexes = (
            models.Index(fields=("terminal",), name="alert_unresolved", condition=~models.Q(state=AlertState.RESOLVED)),
            models.Index(fields=("-resolved_at",), name="alert_resolved"),
            models.Index(fields=("terminal", "-opened_at"), name="alert_terminal"),
        )

    def __str__(self) -> str:
        return f"{self.rule} {self.terminal}"

    def get_absolute_url(self) -> str:
        return reverse("alert", args=(self.pk,))


class TransitionKind(models.TextChoices):
    OPENED = "opened", pgettext_lazy("transition", "Opened")
    ACKNOWLEDGED = "acknowledged", pgettext_lazy("transition", "Acknowledged")
    RESOLVED = "resolved", pgettext_lazy("transition", "Resolved")


class Transition(models.Model):
    """One step in an alert's life: its history, and what notifications are made from (`told_at` is the outbox)."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="transitions")
    kind = models.CharField(max_length=16, choices=TransitionKind)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    comment = models.CharField(max_length=500, blank=True)
    told_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("at", "pk")
        indexes = (
            models.Index(fields=("id",), name="transition_untold", condition=models.Q(told_at__isnull=True)),
            models.Index(fields=("-at",), name="transition_at"),
        )

    def __str__(self) -> str:
        return f"{self.alert_id} {self.kind}"
