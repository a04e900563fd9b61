"""Incidents, their transitions, and the queries for both."""

from __future__ import annotations

from collections.abc import Collection
from typing import Self

from django.conf import settings
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


class IncidentState(models.TextChoices):
    OPEN = "open", pgettext_lazy("incident", "Open")
    ACKNOWLEDGED = "acknowledged", pgettext_lazy("incident", "Acknowledged")
    SNOOZED = "snoozed", pgettext_lazy("incident", "Snoozed")
    """This state is never stored: `Incident.shown_state`."""
    RESOLVED = "resolved", pgettext_lazy("incident", "Resolved")


class IncidentQuerySet(models.QuerySet["Incident"]):
    def unresolved(self) -> Self:
        """The unresolved incidents (index: incident_unresolved)."""
        return self.exclude(state=IncidentState.RESOLVED)

    def in_states(self, states: Collection[str]) -> Self:
        """The incidents in one of these states, as people see them."""
        stored = [state for state in states if state not in (IncidentState.ACKNOWLEDGED, IncidentState.SNOOZED)]
        found = models.Q(state__in=stored)
        for state, by_snooze in ((IncidentState.ACKNOWLEDGED, False), (IncidentState.SNOOZED, True)):
            if state in states:
                found |= models.Q(state=IncidentState.ACKNOWLEDGED, by_snooze=by_snooze)
        return self.filter(found)

    def resolvable_by_hand(self) -> Self:
        """The rules of all of their unresolved alerts allow it."""
        alerts = Alert.objects.unresolved().filter(incident=models.OuterRef("pk"))
        return self.exclude(models.Exists(alerts.filter(rule__may_be_resolved_by_hand=False)))

    def locked(self) -> Self:
        """Locked in the order of their keys until the transaction ends, but not against rows that refer to them: their
        writers may hold transitions that the correlation waits for.
        """
        return self.order_by("pk").select_for_update(of=("self",), no_key=True)


class ByAlerts(ScopePath):
    """An incident lies within a scope if all of its alerts do; for one of a single site, the site is enough."""

    def seen(self, scope: Scope) -> models.Q:
        alerts = Alert.objects.filter(incident=models.OuterRef("pk"))
        inside = ByTerminal("terminal").seen(scope)
        all_inside = models.Exists(alerts) & ~models.Exists(alerts.exclude(inside))
        return (BySite("site").covered(scope) & models.Q(site_count=0)) | models.Q(all_inside)


class Incident(models.Model):
    """Alerts of terminals that were lost together: one row, one acknowledgement, one notification."""

    factor = models.CharField(_("common factor"), max_length=16, choices=Factor)
    key = models.CharField(max_length=160)
    """The common factor: the primary key of a site or group as text; the name of a model, firmware, node or region;
    empty for the fleet. With a rule, `rule-<pk>:` precedes it: one terminal may be part of several incidents.
    """
    site = models.ForeignKey("fleet.Site", models.PROTECT, null=True, related_name="incidents")
    group = models.ForeignKey("fleet.Group", models.SET_NULL, null=True, related_name="incidents")
    group_name = LineField(max_length=100, blank=True, default="", db_default="")
    """Name of the group when it opened: shown when the group has been deleted."""
    rule = models.ForeignKey("alerts.Rule", models.PROTECT, null=True, related_name="incidents")
    """The rule of its alerts, if they were correlated because of it; null if its terminals were lost together."""
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
    joined_count = models.PositiveIntegerField(default=0)
    """Number of alerts that ever belonged to it."""
    resolved_count = models.PositiveIntegerField(default=0)
    """Number of its alerts that are resolved, or no longer belong to it."""
    unchanged_since = models.DateTimeField()
    """The time since which no alert joined or was resolved."""
    common_factor = models.CharField(max_length=16, choices=Factor, blank=True, default="")
    common_name = LineField(max_length=100, blank=True, default="")
    common_count = models.PositiveIntegerField(default=0)
    """The strongest further common factor, and how many terminals have it."""
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    acknowledged_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    contract = models.CharField(_("contract"), max_length=16, choices=Contract, blank=True, default="")
    until = models.DateTimeField(_("until"), null=True)
    by_snooze = models.BooleanField(default=False, db_default=False)
    """Whether an acknowledged incident is snoozed until `until`; then the person who snoozed it is not responsible."""
    assigned_to = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """The person who was asked to acknowledge it, and has not done so yet."""
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
    def shown_state(self) -> IncidentState:
        """Its state, as people see it."""
        is_snoozed = self.state == IncidentState.ACKNOWLEDGED and self.by_snooze
        return IncidentState.SNOOZED if is_snoozed else IncidentState(self.state)

    @property
    def may_be_resolved_by_hand(self) -> bool:
        """Whether the rules of all its alerts allow to resolve by hand. One query."""
        return Incident.objects.filter(pk=self.pk).resolvable_by_hand().exists()

    @property
    def named_factor(self) -> Factor:
        """Its common factor, with a label."""
        return Factor(self.factor)

    @property
    def name(self) -> str:
        """The common factor of its terminals, in the active language. Reads `site` or `group`."""
        if self.site is not None:
            return self.site.local_name
        return self.group.name if self.group is not None else self.group_name or self.bare_key

    @property
    def bare_key(self) -> str:
        """The value of the common factor."""
        return self.key.partition(":")[2] if self.rule_id else self.key

    @property
    def title(self) -> str:
        """Reads `rule`, if there is one."""
        rule = self.rule.local_name if self.rule else ""
        numbers = {"lost": self.lost, "size": self.size, "sites": self.site_count}
        return factors.title(self.named_factor, rule=rule, name=self.name, **numbers)

    @property
    def common_factor_text(self) -> str:
        """The further common factor; empty if none stands out."""
        if not self.common_factor:
            return ""
        return factors.further_text(
            Factor(self.common_factor), name=self.common_name, number=self.common_count, lost=self.lost
        )

    def site_count_of(self, sites: Collection[int]) -> int:
        """The `site_count` with alerts at `sites` (primary keys): 0 if it is not about several sites."""
        if self.factor != Factor.SITE:
            return self.site_count and max(1, len(sites))
        number = len({*sites, self.site_id})
        return number if number > 1 else 0

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
    SNOOZED = "snoozed", Traits("clock", IncidentState.SNOOZED), pgettext_lazy("incident", "Snoozed")
    ASSIGNED = "assigned", Traits("person"), pgettext_lazy("incident", "Assigned")
    COMMENTED = "commented", Traits("comment", is_decision=False), pgettext_lazy("incident", "Comment")
    DISSOLVED = (
        "dissolved",
        Traits("check", IncidentState.RESOLVED),
        pgettext_lazy("incident", "Resolved, rest separate"),
    )
    MOVED_OUT = "moved-out", Traits("incidents"), pgettext_lazy("incident", "Alerts moved out")
    MERGED = "merged", Traits("up", IncidentState.RESOLVED), pgettext_lazy("incident", "Merged into a larger incident")
    RESOLVED = "resolved", Traits("check", IncidentState.RESOLVED), pgettext_lazy("incident", "Resolved")


class IncidentTransition(models.Model):
    """One transition of an incident. Counts are those after it; the outbox sets `dispatched_at`."""

    incident = models.ForeignKey(Incident, models.CASCADE, related_name="transitions")
    kind = models.CharField(max_length=16, choices=IncidentTransitionKind)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """The assignee."""
    comment = LinesField(max_length=500, blank=True, default="")
    number = models.PositiveIntegerField(default=0)
    """Number of alerts that joined, recovered or became separate."""
    open_count = models.PositiveIntegerField()
    """Number of its alerts that were unresolved."""
    severity = models.CharField(max_length=16, choices=Severity)
    contract = models.CharField(max_length=16, choices=Contract, blank=True, default="")
    until = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)

    scope_path = Through("incident", "alerts.Incident")

    class Meta:
        ordering = ("at", "pk")
        indexes = (
            models.Index(fields=("id",), name="incident_undispatched", condition=models.Q(dispatched_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.incident_id} {self.kind}"
