"""Rules as they are stored. `tms.alerts.rule_kinds` defines what they mean."""

import re
from itertools import pairwise
from math import isfinite
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import EVERYTHING, ByGroup, BySite, Scope, ScopePath
from tms.alerts.rule_kinds import RULE_KINDS, comparison_choices, source_choices
from tms.alerts.rule_kinds.base import RuleKind
from tms.alerts.rule_kinds.metric import MetricKind
from tms.alerts.rule_kinds.sources import RuleSource
from tms.fleet.models import Group, Presence, Site, TerminalKind
from tms.lib.severity import Severity, is_worse
from tms.lib.text_fields import LineField, LinesField


class RuleHours(models.TextChoices):
    """When a rule applies."""

    ALWAYS = "always", _("always")
    OPEN = "open", _("while the site is open")


REQUIRED_OF_METRICS = MetricKind.required
"""Fields that a metric rule needs even if it has no comparison."""
LENGTHS = ("duration_s", "window_s", "clear_after_s")
MAX_LENGTH_S = 366 * 86_400
RUNBOOK_LENGTH = 4_000
EVENT_CODE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,63}")
"""The pattern of event codes; the same as in `tms.protocol.frames`."""

NAMES = frozenset({"name", "name_ja", "runbook", "may_be_resolved_by_hand", "watches_flapping"})
"""Fields that may be edited without a new revision."""
SCOPE = ("site", "group", "model", "terminal_kind")
CONTENT = (
    *("name", "name_ja", "kind", "enabled", "severity", "duration_s", "hours", "presence", "metric", "comparison"),
    *("limit", "lower_limit", "higher_thresholds", "hysteresis", "window_s", "event_code", "clear_code"),
    *("clear_after_s", "firmware", "may_be_resolved_by_hand", "watches_flapping", *SCOPE),
    "runbook",
)
"""Fields that people edit; the others are internal."""


class RuleQuerySet(models.QuerySet["Rule"]):
    def not_deleted(self) -> Self:
        return self.filter(deleted_at=None)

    def enabled(self) -> Self:
        return self.not_deleted().filter(enabled=True)


class ByTarget(ScopePath):
    """A rule belongs to the site or the group that it is for; one without either is for the whole fleet."""

    def seen(self, scope: Scope) -> models.Q:
        of_site = models.Q(site=None) | BySite("site").seen(scope)
        return of_site & (models.Q(group=None) | ByGroup("group").seen(scope))

    def covered(self, scope: Scope) -> models.Q:
        return BySite("site").covered(scope) | ByGroup("group").covered(scope)


class Rule(models.Model):
    """When an alert opens and when it clears.

    `severity` and `limit` are the lowest threshold. `higher_thresholds` follow by rising severity: `{"severity":
    "critical", "limit": 75.0}`, with a `lower_limit` if values have to stay within a range.
    """

    name = LineField(_("name"), max_length=100)
    name_ja = LineField(_("Japanese name"), max_length=100, blank=True)
    kind = models.CharField(_("kind"), max_length=16, choices=source_choices)
    severity = models.CharField(_("severity"), max_length=16, choices=Severity, default=Severity.WARNING)
    enabled = models.BooleanField(_("enabled"), default=True)
    duration_s = models.FloatField(_("for at least (seconds)"), default=0, validators=(MinValueValidator(0),))
    hours = models.CharField(
        _("active"),
        max_length=8,
        choices=RuleHours,
        default=RuleHours.ALWAYS,
        db_default=RuleHours.ALWAYS,
        help_text=_("A condition that arises while a site is closed opens its alert at opening time, if it lasts."),
    )
    presence = models.CharField(
        _("presence"),
        max_length=16,
        blank=True,
        choices=((Presence.SILENT.value, Presence.SILENT.label), (Presence.OFFLINE.value, Presence.OFFLINE.label)),
    )
    metric = models.CharField(
        _("metric"), max_length=64, blank=True, validators=(RegexValidator(r"^[a-z][a-z0-9_.]{0,63}\Z"),)
    )
    comparison = models.CharField(_("comparison"), max_length=8, choices=comparison_choices, blank=True)
    limit = models.FloatField(_("threshold"), null=True, blank=True)
    lower_limit = models.FloatField(_("lower threshold"), null=True, blank=True)
    higher_thresholds = models.JSONField(default=list, db_default=[], blank=True)
    hysteresis = models.FloatField(_("hysteresis"), default=0, validators=(MinValueValidator(0),))
    window_s = models.FloatField(
        _("time window (seconds)"), default=0, db_default=0, validators=(MinValueValidator(0),)
    )
    event_code = models.CharField(_("event code"), max_length=64, blank=True)
    clear_code = models.CharField(_("clear event code"), max_length=64, blank=True)
    clear_after_s = models.FloatField(_("clears after (seconds)"), default=0, validators=(MinValueValidator(0),))
    may_be_resolved_by_hand = models.BooleanField(
        _("manual resolve"),
        default=False,
        db_default=False,
        help_text=_("For problems that no report clears. The alert reopens if the problem recurs."),
    )
    watches_flapping = models.BooleanField(
        _("detect flapping"),
        default=True,
        db_default=True,
        help_text=_("An alert that opens and recovers repeatedly is kept as one alert until stable."),
    )
    firmware = LineField(_("firmware"), max_length=64, blank=True, default="", db_default="")
    runbook = LinesField(
        _("runbook"),
        max_length=RUNBOOK_LENGTH,
        blank=True,
        default="",
        db_default="",
        help_text=_("What to do about an alert, in Markdown, or the URL of a page that says it."),
    )
    # Protected: without its site or group a rule would apply to the whole fleet, and deleted rules are history.
    site = models.ForeignKey(Site, models.PROTECT, null=True, blank=True, verbose_name=_("scope: site"))
    group = models.ForeignKey(Group, models.PROTECT, null=True, blank=True, verbose_name=_("scope: group"))
    model = LineField(_("scope: model"), max_length=64, blank=True, default="", db_default="")
    terminal_kind = models.CharField(_("scope: terminal kind"), max_length=16, choices=TerminalKind, blank=True)
    # Events of an earlier revision are ignored. Every edit makes a new version, even a new name.
    revision = models.PositiveIntegerField(default=1, editable=False)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)
    changed_at = models.DateTimeField(null=True, editable=False)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, editable=False, related_name="changed_rules"
    )
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = RuleQuerySet.as_manager()
    scope_path = ByTarget()

    class Meta:
        ordering = ("name",)
        verbose_name = _("rule")
        verbose_name_plural = _("rules")
        constraints = (
            models.UniqueConstraint(
                fields=("name",),
                condition=models.Q(deleted_at=None),
                name="rule_name_once",
                violation_error_message=_("A rule with this name already exists. Enter another name."),
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(enabled=False), name="rule_deleted_is_off"
            ),
        )

    def __str__(self) -> str:
        return self.local_name

    def get_absolute_url(self) -> str:
        return reverse("rule", args=(self.pk,))

    @property
    def scopes(self) -> list[Scope]:
        """Each of them covers all terminals of the rule."""
        scopes = [Scope.of(site=self.site_id)] if self.site_id else []
        return scopes + ([Scope.of(group=self.group_id)] if self.group_id else []) or [EVERYTHING]

    @property
    def local_name(self) -> str:
        return self.name_ja if self.name_ja and get_language() == "ja" else self.name

    @property
    def kind_name(self) -> str:
        """Key of `RULE_KINDS`."""
        return self.comparison if self.kind == RuleSource.METRIC else self.kind

    @property
    def kind_object(self) -> RuleKind:
        return RULE_KINDS[self.kind_name]

    @property
    def thresholds(self) -> list[dict[str, Any]]:
        """Thresholds by rising severity."""
        first = {"severity": self.severity, "limit": self.limit, "lower_limit": self.lower_limit}
        return [first, *self.higher_thresholds]

    def content(self) -> dict[str, Any]:
        return {name: getattr(self, f"{name}_id" if name in {"site", "group"} else name) for name in CONTENT}

    def clean(self) -> None:
        """Each kind needs its own fields: report missing ones, and thresholds that cannot be reached."""
        errors = {
            name: gettext("Enter one year at most.") for name in LENGTHS if not getattr(self, name) <= MAX_LENGTH_S
        }
        errors |= {name: gettext("Required for this kind of rule.") for name in self._missing()}
        for name in ("event_code", "clear_code"):
            if (code := getattr(self, name)) and not EVENT_CODE.fullmatch(code):
                errors[name] = gettext("Use 1 to 64 lower-case letters, digits, _, - and dots.")
        if self.event_code and self.event_code == self.clear_code:
            errors["clear_code"] = gettext("One event cannot open and clear an alert. Enter another code, or none.")
        kind = RULE_KINDS.get(self.kind_name)
        if kind is not None and kind.has_thresholds and not errors:
            errors |= self._wrong_thresholds(kind)
        if errors:
            raise ValidationError(errors)

    def _missing(self) -> list[str]:
        kind = RULE_KINDS.get(self.kind_name)
        required = kind.required if kind else REQUIRED_OF_METRICS if self.kind == RuleSource.METRIC else ()
        return [
            name for name in required if getattr(self, name) in ("", None) or (name == "window_s" and not self.window_s)
        ]

    def _wrong_thresholds(self, kind: RuleKind) -> dict[str, str]:
        """A higher threshold lies further from normal than the last one, and a range is wider than its hysteresis."""
        if not all(_is_threshold(one, has_range=kind.has_range) for one in self.thresholds):
            return {"higher_thresholds": gettext("Each threshold needs a severity and a value.")}
        for lower, higher in pairwise(kind.thresholds(self)):
            if not is_worse(higher.severity, than=lower.severity):
                return {"higher_thresholds": gettext("List thresholds by rising severity, each severity once.")}
            if not kind.is_further_out(higher, lower):
                return {"higher_thresholds": gettext("A higher severity needs a threshold further from normal.")}
        if not kind.has_range or self.limit is None or self.lower_limit is None:
            return {}
        if self.lower_limit >= self.limit:
            return {"lower_limit": gettext("The lower threshold must be below the upper one.")}
        if self.hysteresis * 2 >= self.limit - self.lower_limit:
            return {"hysteresis": gettext("Hysteresis too large: the alert would never clear. Enter a smaller value.")}
        return {}


def _is_threshold(threshold: Any, *, has_range: bool) -> bool:
    limits = ("limit", "lower_limit") if has_range else ("limit",)
    return threshold.get("severity") in Severity.values and all(_is_number(threshold.get(name)) for name in limits)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and isfinite(value)
