from __future__ import annotations

from collections.abc import Mapping
from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import BySite, ByTerminal, Scope, ScopePath, Through
from tms.alerts.models import factor as factors
from tms.alerts.models import kind_traits
from tms.alerts.models.alert import Alert, Contract
from tms.alerts.models.factor import Factor
from tms.alerts.models.kind_traits import KindWithTraits, Traits
from tms.lib.severity import Severity
from tms.lib.text_fields import LineField, LinesField

MEDIUM, LARGE = 20, 100
"""Group sizes from which the shares for a medium and for a large number of terminals apply."""


class CorrelationRule(models.Model):
    """How many terminals with a common factor must be lost within which time to be one incident.

    A row is a changed setting; without one, `DEFAULTS` apply.
    """

    factor = models.CharField(_("common factor"), max_length=16, choices=Factor, unique=True)
    enabled = models.BooleanField(_("enabled"), default=True)
    within_s = models.PositiveIntegerField(
        _("within (seconds)"), default=60, validators=(MinValueValidator(5), MaxValueValidator(3_600))
    )
    least = models.PositiveIntegerField(
        _("at least (terminals)"), default=3, validators=(MinValueValidator(2), MaxValueValidator(10_000))
    )
    small_pct = models.PositiveSmallIntegerField(
        _("below 20 terminals (%)"), default=50, validators=(MinValueValidator(1), MaxValueValidator(100))
    )
    medium_pct = models.PositiveSmallIntegerField(
        _("20 to 99 terminals (%)"), default=30, validators=(MinValueValidator(1), MaxValueValidator(100))
    )
    large_pct = models.PositiveSmallIntegerField(
        _("100 terminals or more (%)"), default=20, validators=(MinValueValidator(1), MaxValueValidator(100))
    )

    class Meta:
        db_table = "alerts_foldrule"
        verbose_name = _("correlation rule")
        verbose_name_plural = _("correlation rules")

    def __str__(self) -> str:
        return self.factor

    def needed(self, size: int) -> int:
        """How many of `size` terminals must be lost."""
        pct = self.small_pct if size < MEDIUM else self.medium_pct if size < LARGE else self.large_pct
        return max(self.least, -(-size * pct // 100))

    @classmethod
    def in_force(cls) -> dict[Factor, CorrelationRule]:
        """One for each factor, in the order in which they are checked."""
        changed = {rule.factor: rule for rule in cls.objects.all()}
        return {factor: changed.get(factor) or cls(factor=factor, **DEFAULTS[factor]) for factor in Factor}


WIDE = {"least": 10, "medium_pct": 40, "large_pct": 30}
OF_SITES = {"least": 4, "within_s": 120}
DEFAULTS: Mapping[Factor, Mapping[str, int]] = {
    factor: {} if factor is Factor.SITE else OF_SITES if factor in factors.SITES_TOGETHER else WIDE for factor in Factor
}
"""Deviations from the defaults of the columns, which are those of sites. For a region and the fleet, sites count."""


class IncidentState(models.TextChoices):
    OPEN = "open", pgettext_lazy("incident", "Open")
    ACKNOWLEDGED = "acknowledged", pgettext_lazy("incident", "Acknowledged")
    RESOLVED = "resolved", pgettext_lazy("incident", "Resolved")


class IncidentQuerySet(models.QuerySet["Incident"]):
    def unresolved(self) -> Self:
        """Unresolved (index: incident_unresolved)."""
        return self.exclude(state=IncidentState.RESOLVED)

    def locked(self) -> Self:
        """Locked until the transaction ends, but not against rows that refer to them: their writers may hold
        transitions that the correlation waits for.
        """
        return self.select_for_update(of=("self",), no_key=True)


class ByAlerts(ScopePath):
    """An incident lies within a scope if all of its alerts do; for that of one site, the site is enough."""

    def seen(self, scope: Scope) -> models.Q:
        alerts = Alert.objects.filter(incident=models.OuterRef("pk"))
        inside = ByTerminal("terminal").seen(scope)
        all_inside = models.Exists(alerts) & ~models.Exists(alerts.exclude(inside))
        return BySite("site").covered(scope) | models.Q(all_inside)


class Incident(models.Model):
    """Alerts of terminals that were lost together: one row, one acknowledgement, one notification."""

    factor = models.CharField(_("common factor"), max_length=16, choices=Factor)
    key = models.CharField(max_length=100)
    """The common factor: the primary key of a site or group as text; the name of a model, firmware or node."""
    site = models.ForeignKey("fleet.Site", models.PROTECT, null=True, related_name="incidents")
    group = models.ForeignKey("fleet.Group", models.SET_NULL, null=True, related_name="incidents")
    breadth = models.CharField(max_length=16, choices=Factor, blank=True, default="", db_default="")
    """`region` or `fleet`, for sites lost together; `factor` is then `group`, which the previous release shows."""
    site_count = models.PositiveIntegerField(default=0, db_default=0)
    """Number of sites whose incidents were merged into it."""
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="parts")
    severity = models.CharField(_("severity"), max_length=16, choices=Severity)
    state = models.CharField(_("state"), max_length=16, choices=IncidentState, default=IncidentState.OPEN)
    opened_at = models.DateTimeField(_("opened at"))
    changed_at = models.DateTimeField(db_default=Now())
    version = models.PositiveIntegerField(default=1, db_default=1)
    """Increases with each change that affects an operator's decision."""
    size = models.PositiveIntegerField()
    """Number of terminals with the common factor."""
    lost = models.PositiveIntegerField()
    """Number of terminals lost."""
    joined_count = models.PositiveIntegerField(default=0, db_column="joined")
    """Number of alerts that ever belonged to it."""
    resolved_count = models.PositiveIntegerField(default=0, db_column="left")
    """Number of its alerts that are resolved, or no longer belong to it."""
    unchanged_since = models.DateTimeField(db_column="calm_since")
    """The time since which no alert joined or was resolved."""
    common_factor = models.CharField(max_length=16, choices=Factor, blank=True, default="")
    common_name = LineField(max_length=100, blank=True, default="")
    common_count = models.PositiveIntegerField(default=0)
    """The strongest further common factor, and how many terminals have it."""
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    contract = models.CharField(_("contract"), max_length=16, choices=Contract, blank=True, default="")
    until = models.DateTimeField(_("until"), null=True)
    comment = LinesField(_("comment"), max_length=500, blank=True, default="")
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """The person who claimed it, until `claimed_until` or the first acknowledgement."""
    claimed_until = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True)

    objects = IncidentQuerySet.as_manager()
    scope_path = ByAlerts()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = (
            models.UniqueConstraint(
                fields=("factor", "key"), condition=~models.Q(state="resolved"), name="incident_one_unresolved"
            ),
        )
        indexes = (
            # Readers: correlation, and the boards.
            models.Index(fields=("opened_at",), name="incident_unresolved", condition=~models.Q(state="resolved")),
            models.Index(fields=("-resolved_at",), name="incident_resolved"),
            # Reader: the list of incidents.
            models.Index(fields=("-opened_at", "-id"), name="incident_opened"),
        )

    def __str__(self) -> str:
        return f"{self.factor} {self.key}"

    def get_absolute_url(self) -> str:
        return reverse("incident", args=(self.pk,))

    @property
    def named_factor(self) -> Factor:
        """Its common factor, as people see it."""
        return Factor(self.breadth or self.factor)

    @property
    def name(self) -> str:
        """The common factor of its terminals, in the active language. Reads `site` or `group`."""
        if self.site is not None:
            return self.site.local_name
        if self.breadth:
            return self.key.partition(":")[2]
        return self.group.name if self.group is not None else self.key

    @property
    def title(self) -> str:
        return factors.lost(self.named_factor, lost=self.lost, size=self.size, name=self.name, sites=self.site_count)

    @property
    def common_factor_text(self) -> str:
        """The further common factor; empty if none stands out."""
        if not self.common_factor:
            return ""
        return factors.further_text(
            Factor(self.common_factor), name=self.common_name, number=self.common_count, lost=self.lost
        )

    @property
    def open_count(self) -> int:
        """Number of its unresolved alerts."""
        return self.joined_count - self.resolved_count


class IncidentTransitionKind(KindWithTraits):
    OPENED = "opened", Traits("alerts", IncidentState.OPEN), pgettext_lazy("incident", "Opened")
    JOINED = "joined", Traits("up"), pgettext_lazy("incident", "More alerts")
    MEMBERS_RESOLVED = "left", Traits("check", is_decision=False), pgettext_lazy("incident", "Recovered")
    WORSENED = "worsened", Traits("up"), pgettext_lazy("incident", "Worsened")
    EASED = "eased", Traits("down"), pgettext_lazy("incident", "Improved")
    CLAIMED = "claimed", Traits("eye", is_decision=False), pgettext_lazy("incident", "Claimed")
    UNCLAIMED = "released", Traits("eye", is_decision=False), pgettext_lazy("incident", "Claim ended")
    ACKNOWLEDGED = (
        "acknowledged",
        Traits("person", IncidentState.ACKNOWLEDGED),
        pgettext_lazy("incident", "Acknowledged"),
    )
    CHANGED = "changed", Traits("person"), pgettext_lazy("incident", "Acknowledgement changed")
    REOPENED = "withdrawn", kind_traits.REOPENED, pgettext_lazy("incident", "Reopened")
    EXPIRED = "expired", kind_traits.EXPIRED, pgettext_lazy("incident", "Reopened: acknowledgement expired")
    REOPENED_WORSE = "undone", kind_traits.REOPENED_WORSE, pgettext_lazy("incident", "Reopened: worsened")
    COMMENTED = "commented", Traits("comment", is_decision=False), pgettext_lazy("incident", "Comment")
    DISSOLVED = (
        "dissolved",
        Traits("check", IncidentState.RESOLVED),
        pgettext_lazy("incident", "Resolved, rest separate"),
    )
    MERGED = "merged", Traits("up", IncidentState.RESOLVED), pgettext_lazy("incident", "Merged into a larger incident")
    RESOLVED = "resolved", Traits("check", IncidentState.RESOLVED), pgettext_lazy("incident", "Resolved")


class IncidentTransition(models.Model):
    """One transition of an incident. Counts are those after it; the outbox sets `dispatched_at`."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="transitions")
    kind = models.CharField(max_length=16, choices=IncidentTransitionKind)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    comment = LinesField(max_length=500, blank=True, default="")
    number = models.PositiveIntegerField(default=0)
    """Number of alerts that joined, recovered or became separate."""
    open_count = models.PositiveIntegerField(db_column="standing")
    """Number of its alerts that were unresolved."""
    severity = models.CharField(max_length=16, choices=Severity)
    contract = models.CharField(max_length=16, choices=Contract, blank=True, default="")
    until = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True, db_column="told_at")

    scope_path = Through("incident", "alerts.Incident")

    class Meta:
        ordering = ("at", "pk")
        indexes = (
            models.Index(
                fields=("id",), name="incidenttransition_untold", condition=models.Q(dispatched_at__isnull=True)
            ),
        )

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind}"
