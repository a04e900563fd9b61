"""Notification policies, their escalation steps, and escalations."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.models import Owned, one_owner
from tms.accounts.scope import Through
from tms.alerts.models import Alert, Incident, Rule
from tms.fleet.models import Group, Site
from tms.lib.text_fields import LineField
from tms.notifications.models.destination import Destination
from tms.notifications.models.rotation import Rotation
from tms.notifications.subjects import AboutOne, Concern, about_one
from tms.notifications.weekly_hours import HoursOfWeek

DAY_S = 86_400
MIN_REPEAT_S = 300


def not_too_often(seconds: int) -> None:
    """Raises ValidationError."""
    if 0 < seconds < MIN_REPEAT_S:
        raise ValidationError(gettext("Enter 0, or at least %(least)d seconds.") % {"least": MIN_REPEAT_S})


class PolicyHours(models.TextChoices):
    """The hours in which a policy is active."""

    ALWAYS = "always", _("always")
    WITHIN = "within", _("during these hours")
    OUTSIDE = "outside", _("outside these hours")
    OPEN = "open", _("while the site is open")
    CLOSED = "closed", _("while the site is closed")


class RolloutNews(models.TextChoices):
    """What a policy notifies of, of every rollout within the part of the fleet that its owner sees."""

    WAVES = "waves", pgettext_lazy("news of rollouts", "each wave")
    HOLDS = "holds", pgettext_lazy("news of rollouts", "hold")
    STOPS = "stops", pgettext_lazy("news of rollouts", "stop")
    ENDS = "ends", pgettext_lazy("news of rollouts", "end")


class PolicyQuerySet(models.QuerySet["Policy"]):
    def not_deleted(self) -> Self:
        """The policies of the pages and the API, where people edit them."""
        return self.filter(deleted_at=None, is_personal=False)

    def enabled(self) -> Self:
        return self.filter(enabled=True).prefetch_related("sites", "groups", "rules")


class Policy(Owned, HoursOfWeek):
    """Who is notified of what. Empty choices do not restrict; all policies that apply notify."""

    name = LineField(_("name"), max_length=100)
    enabled = models.BooleanField(_("enabled"), default=True)
    severities = models.JSONField(_("severities"), default=list, blank=True)
    sites = models.ManyToManyField(Site, through="PolicySite", blank=True, verbose_name=_("sites"))
    groups = models.ManyToManyField(Group, through="PolicyGroup", blank=True, verbose_name=_("groups"))
    rules = models.ManyToManyField(Rule, blank=True, verbose_name=_("rules"))
    notify_resolved = models.BooleanField(_("notify when resolved"), default=True)
    notify_acknowledged = models.BooleanField(_("notify when acknowledged"), default=False)
    rollouts = models.JSONField(
        _("rollouts"), default=list, blank=True, db_default=models.Value([], models.JSONField())
    )
    """`RolloutNews` of which the destinations of its first step are notified."""
    language = models.CharField(
        _("language"),
        max_length=8,
        choices=settings.LANGUAGES,
        blank=True,
        help_text=_("Leave empty to use the language of each destination."),
    )
    delay_s = models.PositiveIntegerField(
        _("notify after (seconds)"),
        default=0,
        validators=(MaxValueValidator(DAY_S),),
        help_text=_("Alerts that are resolved or acknowledged before that are not notified."),
    )
    repeat_s = models.PositiveIntegerField(
        _("repeat every (seconds)"),
        default=0,
        db_default=0,
        validators=(MaxValueValidator(DAY_S), not_too_often),
        help_text=_("After the last step, everybody is notified again until someone acknowledges. 0 for never."),
    )
    group_wait_s = models.PositiveIntegerField(
        _("group for (seconds)"),
        default=5,
        validators=(MaxValueValidator(3_600),),
        help_text=_("Alerts within this time are grouped into one notification."),
    )
    group_by_site = models.BooleanField(_("group by site"), default=True)
    when = models.CharField(
        _("active"),
        max_length=8,
        choices=PolicyHours,
        default=PolicyHours.ALWAYS,
        db_default=PolicyHours.ALWAYS,
        help_text=_("Anything still unresolved when these hours begin is notified then."),
    )

    is_personal = models.BooleanField(default=False, db_default=False, editable=False)
    """The one policy, made with the first browser, by which people are notified as they chose on their own page."""

    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = PolicyQuerySet.as_manager()

    audited_relations = ("steps",)

    class Meta:
        ordering = ("name",)
        verbose_name = _("policy")
        verbose_name_plural = _("policies")
        constraints = (
            one_owner("policy_one_owner"),
            models.UniqueConstraint(
                fields=("name",), condition=models.Q(deleted_at=None, is_personal=False), name="policy_name_once"
            ),
            models.UniqueConstraint(
                fields=("is_personal",), condition=models.Q(is_personal=True), name="policy_personal_once"
            ),
            models.CheckConstraint(
                condition=models.Q(deleted_at=None) | models.Q(enabled=False), name="policy_deleted_is_off"
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("policy", args=(self.pk,))

    @property
    def follows_site_hours(self) -> bool:
        return self.when in {PolicyHours.OPEN, PolicyHours.CLOSED}

    @property
    def notifies_within(self) -> bool:
        """Whether it is active within its hours or the site's, or outside of them."""
        return self.when in {PolicyHours.OPEN, PolicyHours.WITHIN}

    def concerns(self, what: Concern) -> bool:
        """Whether it applies. A policy of a region, site or group is for their alerts only."""
        return not self.mismatch(what)

    def mismatch(self, what: Concern) -> str:
        """The first of its conditions that is not met, by the name of its field; empty if it applies."""
        part = what.within(self.owner)
        conditions = (
            ("owner", what.touches(self.owner)),
            ("severities", not self.severities or part.severity in self.severities),
            ("sites", _any_chosen(part.sites, self.sites.all())),
            ("rules", _any_chosen(part.rules, self.rules.all())),
            ("groups", _any_chosen(part.groups, self.groups.all())),
        )
        return next((name for name, is_met in conditions if not is_met), "")


class PolicySite(models.Model):
    """Protects the site: without its only one, a policy would apply to every site."""

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="+")
    site = models.ForeignKey(Site, models.PROTECT, related_name="+")

    scope_path = Through("policy", "notifications.Policy")

    class Meta:
        unique_together = (("policy", "site"),)

    def __str__(self) -> str:
        return str(self.policy)


class PolicyGroup(models.Model):
    """Protects the group as `PolicySite` protects the site."""

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="+")
    group = models.ForeignKey(Group, models.PROTECT, related_name="+")

    scope_path = Through("policy", "notifications.Policy")

    class Meta:
        unique_together = (("policy", "group"),)

    def __str__(self) -> str:
        return str(self.policy)


def _any_chosen(pks: Collection[int], chosen: Collection[models.Model]) -> bool:
    return not chosen or any(row.pk in pks for row in chosen)


class NamedDestination(NamedTuple):
    """A destination that a step names at one moment: itself, or as one of the person on call in a rotation."""

    destination: Destination | None
    """The destination. None: nobody is on call, or that person has none."""
    rotation: Rotation | None = None
    person_id: int | None = None
    """Who is on call."""
    until: datetime | None = None
    """End of the on-call shift."""


class Step(models.Model):
    """An escalation step: who is notified, and after how long without an acknowledgement. The first is immediate."""

    policy = models.ForeignKey(Policy, models.CASCADE, related_name="steps")
    position = models.PositiveSmallIntegerField()
    after_s = models.PositiveIntegerField(default=0, validators=(MaxValueValidator(DAY_S),))
    """Delay after the previous step; ignored for the first."""
    named: list[NamedDestination]
    """Destinations that it names now; set by `policies.steps.steps_of`."""
    reached: list[Destination]
    """The enabled destinations among them, each once."""
    destinations = models.ManyToManyField(Destination, blank=True)
    rotations = models.ManyToManyField(Rotation, blank=True)
    """The person on call in them when the step is taken is notified too, at all destinations of their own."""

    scope_path = Through("policy", "notifications.Policy")

    class Meta:
        ordering = ("policy", "position")
        constraints = (models.UniqueConstraint(fields=("policy", "position"), name="step_once"),)

    def __str__(self) -> str:
        return f"{self.policy_id} {self.position}"


class Escalation(AboutOne, models.Model):
    """How far one policy has come for one alert or incident. `due_at`: when its next step is due; null for never."""

    alert = models.ForeignKey(Alert, models.CASCADE, null=True, related_name="escalations")
    incident = models.ForeignKey(Incident, models.CASCADE, null=True, related_name="escalations")
    policy = models.ForeignKey(Policy, models.CASCADE, related_name="escalations")
    kind = models.CharField(max_length=16)
    happened_at = models.DateTimeField()
    next_step = models.PositiveSmallIntegerField(default=0)
    """The position of the next step."""
    steps_taken = models.PositiveIntegerField(default=0)
    """The number of steps taken in all rounds."""
    due_at = models.DateTimeField(null=True)
    suppression = models.CharField(max_length=32, blank=True, default="")
    """Why it waits: `alerts.suppression.reasons.Reason`, or the hours of its policy."""

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=("alert", "policy"), name="escalation_once"),
            models.UniqueConstraint(fields=("incident", "policy"), name="escalation_incident_once"),
            about_one("escalation_about_one"),
        )
        # Reader: the outbox.
        indexes = (models.Index(fields=("due_at",), name="escalation_due", condition=models.Q(due_at__isnull=False)),)

    def __str__(self) -> str:
        return f"{self.policy_id} {self.alert_id or self.incident_id}"
