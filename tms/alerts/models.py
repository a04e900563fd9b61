import re
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

# Here Django looks for models.
from tms.alerts.window import Window  # noqa: F401
from tms.fleet.models import Presence, Site, Terminal, TerminalKind
from tms.telemetry.models import Severity


class RuleKind(models.TextChoices):
    PRESENCE = "presence", pgettext_lazy("rule", "Presence")
    METRIC = "metric", pgettext_lazy("rule", "Metric")
    EVENT = "event", pgettext_lazy("rule", "Event")


class Comparison(models.TextChoices):
    ABOVE = "above", _("at or above")
    BELOW = "below", _("at or below")


NEEDED = {
    RuleKind.PRESENCE.value: ("presence",),
    RuleKind.METRIC.value: ("metric", "comparison", "limit"),
    RuleKind.EVENT.value: ("event_code",),
}
"""The fields that a rule of each kind cannot be without."""

EVENT_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
"""As `tms.protocol.frames` has it."""


class RuleHours(models.TextChoices):
    """When a rule counts."""

    ALWAYS = "always", _("always")
    OPEN = "open", _("while the site is open")


class Rule(models.Model):
    """When an alert opens and when it lets go. `tms.alerts.rules` decides; this only keeps the choice."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    name_ja = models.CharField(_("Japanese name"), max_length=100, blank=True)
    kind = models.CharField(_("kind"), max_length=16, choices=RuleKind)
    severity = models.CharField(_("severity"), max_length=16, choices=Severity, default=Severity.WARNING)
    enabled = models.BooleanField(_("enabled"), default=True)
    revision = models.PositiveIntegerField(default=1, editable=False)
    duration_s = models.FloatField(
        _("for at least (seconds)"),
        default=0,
        validators=(MinValueValidator(0),),
        help_text=_("The alert opens when the condition has held for so long."),
    )
    hours = models.CharField(
        _("counts"),
        max_length=8,
        choices=RuleHours,
        default=RuleHours.ALWAYS,
        help_text=_("Whatever holds while a site is closed opens its alert when the site opens, if it still holds."),
    )
    presence = models.CharField(
        _("presence"),
        max_length=16,
        blank=True,
        choices=((Presence.SILENT.value, Presence.SILENT.label), (Presence.OFFLINE.value, Presence.OFFLINE.label)),
    )
    metric = models.CharField(
        _("metric"), max_length=64, blank=True, validators=(RegexValidator(r"^[a-z][a-z0-9_.]{0,63}$"),)
    )
    comparison = models.CharField(_("comparison"), max_length=8, choices=Comparison, blank=True)
    limit = models.FloatField(_("limit"), null=True, blank=True)
    hysteresis = models.FloatField(
        _("hysteresis"),
        default=0,
        validators=(MinValueValidator(0),),
        help_text=_("How far back over the limit the value must go before the alert lets go."),
    )
    event_code = models.CharField(_("event code"), max_length=64, blank=True)
    clear_code = models.CharField(_("event code that clears it"), max_length=64, blank=True)
    clear_after_s = models.FloatField(
        _("lets go after (seconds)"),
        default=0,
        validators=(MinValueValidator(0),),
        help_text=_("For events: the alert lets go when the event did not come again for so long; 0 never."),
    )
    site = models.ForeignKey(Site, models.CASCADE, null=True, blank=True, verbose_name=_("only at site"))
    terminal_kind = models.CharField(_("only terminals of kind"), max_length=16, choices=TerminalKind, blank=True)

    class Meta:
        ordering = ("name",)
        verbose_name = _("rule")
        verbose_name_plural = _("rules")

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        return self.name_ja if self.name_ja and get_language() == "ja" else self.name

    def clean(self) -> None:
        """Each kind needs its own fields; say which are missing, and which could never be met."""
        errors = {name: gettext("A rule of this kind needs it.") for name in self._missing()}
        for name in ("event_code", "clear_code"):
            if (code := getattr(self, name)) and not EVENT_CODE.fullmatch(code):
                errors[name] = gettext("Use 1 to 64 lower-case letters, digits, _, - and dots, as terminals do.")
        if self.event_code and self.event_code == self.clear_code:
            errors["clear_code"] = gettext("The same event cannot open and clear; name another, or leave it empty.")
        if errors:
            raise ValidationError(errors)

    def _missing(self) -> list[str]:
        return [name for name in NEEDED.get(self.kind, ()) if getattr(self, name) in ("", None)]


class Condition(models.Model):
    """A rule that holds for a terminal right now. The alert opens at `due_at`, then it is null."""

    rule = models.ForeignKey(Rule, models.CASCADE, related_name="conditions")
    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="conditions")
    since = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    lapses_at = models.DateTimeField(null=True)
    value = models.FloatField(null=True)

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
