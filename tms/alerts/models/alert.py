"""Alerts, and the queries for their states."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.alerts.rule_kinds.sources import RuleSource
from tms.lib.db.whole_seconds import WholeSeconds
from tms.lib.severity import Severity
from tms.lib.text_fields import LinesField


class AlertState(models.TextChoices):
    OPEN = "open", pgettext_lazy("alert", "Open")
    ACKNOWLEDGED = "acknowledged", pgettext_lazy("alert", "Acknowledged")
    SNOOZED = "snoozed", pgettext_lazy("alert", "Snoozed")
    RESOLVED = "resolved", pgettext_lazy("alert", "Resolved")


class Contract(models.TextChoices):
    """How long an acknowledgement lasts. Under every contract a recovery resolves the alert, and a higher severity
    reopens it.
    """

    RECOVERY = "recovery", pgettext_lazy("contract", "until recovery")
    TIME = "time", pgettext_lazy("contract", "until a time")
    WORSE = "worse", pgettext_lazy("contract", "until it gets worse")
    """This contract also ends when the terminal gets another alert that is at least as severe."""


FLAPPING = models.Q(flapping__isnull=False, flapping__ended_at=None)
"""A resolved alert does not flap."""


class AlertQuerySet(models.QuerySet["Alert"]):
    def opened(self, since: datetime, until: datetime) -> Self:
        """Opened within this time (index: alert_opened)."""
        return self.filter(opened_at__gte=since, opened_at__lt=until)

    def unresolved(self) -> Self:
        """Unresolved (index: alert_unresolved, read by the boards)."""
        return self.exclude(state=AlertState.RESOLVED)

    def in_states(self, states: Collection[str]) -> Self:
        return self.filter(state__in=states)

    def resolvable_by_hand(self) -> Self:
        """Their rules allow it."""
        return self.filter(rule__may_be_resolved_by_hand=True)

    def awake(self) -> Self:
        """Unresolved and not snoozed."""
        return self.filter(state__in=(AlertState.OPEN, AlertState.ACKNOWLEDGED))

    def snoozed(self) -> Self:
        return self.filter(state=AlertState.SNOOZED)

    def unacknowledged(self) -> Self:
        return self.filter(state=AlertState.OPEN)

    def acknowledged(self) -> Self:
        return self.filter(state=AlertState.ACKNOWLEDGED)

    def flapping(self) -> Self:
        """Unresolved alerts whose rules trigger and clear repeatedly."""
        return self.filter(FLAPPING)

    def stale(self) -> Self:
        """Acknowledged for too long without a comment (index: alert_stale)."""
        return self.filter(state=AlertState.ACKNOWLEDGED, is_stale=True)

    def ending(self, at: datetime) -> Self:
        """Their acknowledgement or snooze has expired (index: alert_until)."""
        return self.filter(state__in=(AlertState.ACKNOWLEDGED, AlertState.SNOOZED), until__lte=at)

    def to_remind(self, at: datetime) -> Self:
        """Their person has to be reminded (index: alert_remind)."""
        return self.filter(state=AlertState.ACKNOWLEDGED, remind_at__lte=at)

    def watchful(self) -> Self:
        """Acknowledged until they worsen (index: alert_until_worse)."""
        return self.filter(state=AlertState.ACKNOWLEDGED, contract=Contract.WORSE)

    def uncorrelated(self) -> Self:
        """The alerts that are part of no incident (index: alert_uncorrelated, read by correlation)."""
        return self.filter(incident=None)

    def with_undecided_since(self) -> Self:
        """Annotate `undecided_since`: when the alert opened, in whole seconds, if correlation may still add it to an
        incident of lost terminals and nobody has acknowledged it; otherwise null.
        """
        undecided = models.Q(rule__kind=RuleSource.PRESENCE, incident=None, is_separate=False, state=AlertState.OPEN)
        opened = models.When(undecided, then=WholeSeconds("opened_at"))
        column = models.DateTimeField(null=True)
        return self.annotate(undecided_since=models.Case(opened, default=None, output_field=column))

    def claimed(self) -> Self:
        """Claimed by a person (index: alert_claimed)."""
        return self.filter(state=AlertState.OPEN, claimed_until__isnull=False)

    def locked(self) -> Self:
        """Locked in the order of their keys until the transaction ends (`tms.alerts.locks`)."""
        return self.order_by("pk").select_for_update(of=("self",))

    def by_urgency(self) -> Self:
        """Unacknowledged critical ones first, then by severity, then oldest first."""
        rank = models.Case(
            models.When(severity=Severity.CRITICAL, then=0), models.When(severity=Severity.WARNING, then=1), default=2
        )
        acknowledged = models.Case(models.When(state=AlertState.OPEN, then=0), default=1)
        return self.annotate(rank=rank, acknowledged=acknowledged).order_by("rank", "acknowledged", "opened_at", "pk")


class Alert(models.Model):
    """Something that needs a person: open, acknowledged or snoozed, then resolved. A recovery always wins."""

    rule = models.ForeignKey("alerts.Rule", models.PROTECT, related_name="alerts")
    terminal = models.ForeignKey("fleet.Terminal", models.CASCADE, related_name="alerts")
    severity = models.CharField(_("severity"), max_length=16, choices=Severity)
    state = models.CharField(_("state"), max_length=16, choices=AlertState, default=AlertState.OPEN)
    opened_at = models.DateTimeField(_("opened at"))
    value = models.FloatField(_("value"), null=True)
    version = models.PositiveIntegerField(default=1, db_default=1)
    """Increases with each change that affects an operator's decision."""
    changed_at = models.DateTimeField(db_default=Now())
    """Instant of its newest transition. Later ones are never earlier, even if the clocks of nodes differ."""
    acknowledged_at = models.DateTimeField(_("acknowledged at"), null=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="acknowledged_alerts"
    )
    first_acknowledged_at = models.DateTimeField(null=True)
    """The first acknowledgement; not reset when the acknowledgement ends."""
    contract = models.CharField(_("contract"), max_length=16, choices=Contract, blank=True, default="", db_default="")
    until = models.DateTimeField(_("until"), null=True)
    """When the acknowledgement or snooze expires."""
    remind_at = models.DateTimeField(null=True)
    is_stale = models.BooleanField(_("stale acknowledgement"), default=False, db_default=False)
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="assigned_alerts"
    )
    """Assignee who has not acknowledged it yet."""
    claimed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="claimed_alerts")
    """The person who claimed it while it is open, until `claimed_until`."""
    claimed_until = models.DateTimeField(null=True)
    comment = LinesField(_("comment"), max_length=500, blank=True)
    """The latest comment."""
    resolved_at = models.DateTimeField(_("resolved at"), null=True)
    incident = models.ForeignKey(
        "alerts.Incident", models.SET_NULL, null=True, blank=True, related_name="alerts", verbose_name=_("incident")
    )
    is_separate = models.BooleanField(default=False, db_default=False)
    """A person moved it out of an incident: it is not correlated again."""
    suppressed_at_open = models.CharField(max_length=16, null=True)  # noqa: DJ001  (unknown yet)
    """Why it was not notified when it opened (`alerts.suppression.reasons.Reason`); empty if nothing suppressed it."""

    undecided_since: datetime | None
    """The annotation of `with_undecided_since`."""

    objects = AlertQuerySet.as_manager()
    scope_path = ByTerminal("terminal")

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = (
            models.UniqueConstraint(
                fields=("rule", "terminal"),
                condition=~models.Q(state=AlertState.RESOLVED),
                name="alert_one_unresolved",
            ),
            models.CheckConstraint(
                name="alert_held_since",
                condition=models.Q(state=AlertState.RESOLVED)
                | models.Q(state=AlertState.ACKNOWLEDGED, acknowledged_at__isnull=False)
                | models.Q(state__in=(AlertState.OPEN, AlertState.SNOOZED), acknowledged_at__isnull=True),
            ),
        )
        indexes = (
            models.Index(fields=("terminal",), name="alert_unresolved", condition=~models.Q(state=AlertState.RESOLVED)),
            models.Index(fields=("-resolved_at",), name="alert_resolved"),
            # Readers: the search of past alerts, the response times, and the shift digest.
            models.Index(fields=("-opened_at", "-id"), name="alert_opened"),
            # Reader: tms.alerts.suppression.at_open.
            models.Index(fields=("id",), name="alert_suppression_unknown", condition=models.Q(suppressed_at_open=None)),
            models.Index(fields=("terminal", "-opened_at"), name="alert_terminal"),
            models.Index(
                fields=("opened_at",),
                name="alert_uncorrelated",
                condition=models.Q(incident__isnull=True) & ~models.Q(state=AlertState.RESOLVED),
            ),
            # Readers: lifecycle.expire, lifecycle.remind, alerts that open for a terminal, and the board of stale ones.
            models.Index(fields=("until",), name="alert_until", condition=models.Q(until__isnull=False)),
            models.Index(fields=("remind_at",), name="alert_remind", condition=models.Q(remind_at__isnull=False)),
            models.Index(
                fields=("terminal",),
                name="alert_until_worse",
                condition=models.Q(state=AlertState.ACKNOWLEDGED, contract=Contract.WORSE),
            ),
            # Reader: lifecycle.expire_claims.
            models.Index(
                fields=("claimed_until",), name="alert_claimed", condition=models.Q(claimed_until__isnull=False)
            ),
            models.Index(
                fields=("acknowledged_at",),
                name="alert_stale",
                condition=models.Q(state=AlertState.ACKNOWLEDGED, is_stale=True),
            ),
        )

    def __str__(self) -> str:
        return f"{self.rule} {self.terminal}"

    def get_absolute_url(self) -> str:
        return reverse("alert", args=(self.pk,))

    @property
    def may_be_resolved_by_hand(self) -> bool:
        return self.rule.may_be_resolved_by_hand

    @property
    def is_flapping(self) -> bool:
        flapping = getattr(self, "flapping", None)
        return flapping is not None and flapping.ended_at is None
