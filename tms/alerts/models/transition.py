"""The transitions of alerts."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.alerts.models import kind_traits
from tms.alerts.models.alert import AlertState, Contract
from tms.alerts.models.kind_traits import KindWithTraits, Traits
from tms.lib.severity import Severity
from tms.lib.text_fields import LinesField


class TransitionKind(KindWithTraits):
    OPENED = "opened", Traits("alerts", AlertState.OPEN), pgettext_lazy("transition", "Opened")
    WORSENED = "worsened", Traits("up"), pgettext_lazy("transition", "Worsened")
    EASED = "eased", Traits("down"), pgettext_lazy("transition", "Improved")
    CLAIMED = "claimed", Traits("eye", is_decision=False), pgettext_lazy("transition", "Claimed")
    UNCLAIMED = "released", Traits("eye", is_decision=False), pgettext_lazy("transition", "Claim ended")
    ACKNOWLEDGED = (
        "acknowledged",
        Traits("person", AlertState.ACKNOWLEDGED),
        pgettext_lazy("transition", "Acknowledged"),
    )
    CHANGED = "changed", Traits("person"), pgettext_lazy("transition", "Acknowledgement changed")
    REOPENED = "withdrawn", kind_traits.REOPENED, pgettext_lazy("transition", "Reopened")
    EXPIRED = "expired", kind_traits.EXPIRED, pgettext_lazy("transition", "Reopened: time expired")
    REOPENED_WORSE = "undone", kind_traits.REOPENED_WORSE, pgettext_lazy("transition", "Reopened: worsened")
    SNOOZED = "snoozed", Traits("clock", AlertState.SNOOZED), pgettext_lazy("transition", "Snoozed")
    ASSIGNED = "assigned", Traits("person"), pgettext_lazy("transition", "Assigned")
    COMMENTED = "commented", Traits("comment", is_decision=False), pgettext_lazy("transition", "Comment")
    REMINDED = (
        "reminded",
        Traits("clock", is_decision=False),
        pgettext_lazy("transition", "Reminder: stale acknowledgement"),
    )
    FLAPPING = "flapping", Traits("flapping", is_decision=False), pgettext_lazy("transition", "Flapping started")
    STABLE = "calm", Traits("calm", is_decision=False), pgettext_lazy("transition", "Flapping stopped")
    RESOLVED = "resolved", Traits("check", AlertState.RESOLVED), pgettext_lazy("transition", "Resolved")


class TransitionQuerySet(models.QuerySet["Transition"]):
    def with_comment(self) -> Self:
        """The transitions that have a comment (index: transition_commented)."""
        return self.exclude(comment="")

    def acknowledgements(self) -> Self:
        """Transitions that make a person responsible."""
        return self.filter(kind=TransitionKind.ACKNOWLEDGED)


class Transition(models.Model):
    """One transition of an alert: an entry of its history, and the source of notifications.

    Severity, value, contract and its end are those after the transition. The outbox sets `dispatched_at`.
    """

    alert = models.ForeignKey("alerts.Alert", models.CASCADE, related_name="transitions")
    kind = models.CharField(max_length=16, choices=TransitionKind)
    at = models.DateTimeField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True)
    """The person who did it; None is TMS itself."""
    to = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """Assignee, or person reminded."""
    comment = LinesField(max_length=500, blank=True)
    severity = models.CharField(max_length=16, choices=Severity, blank=True, default="", db_default="")
    """The severity after the transition. Empty: the alert's."""
    before = models.CharField(max_length=16, choices=Severity, blank=True, default="", db_default="")
    """Severity before it worsened or improved."""
    value = models.FloatField(null=True)
    """The alert's value after the transition."""
    contract = models.CharField(max_length=16, choices=Contract, blank=True, default="", db_default="")
    until = models.DateTimeField(null=True)
    dispatched_at = models.DateTimeField(null=True)

    objects = TransitionQuerySet.as_manager()
    scope_path = ByTerminal("alert__terminal")

    class Meta:
        ordering = ("at", "pk")
        indexes = (
            models.Index(
                fields=("id",), name="transition_undispatched", condition=models.Q(dispatched_at__isnull=True)
            ),
            models.Index(fields=("-at",), name="transition_at"),
            # Reader: the search of past alerts.
            models.Index(fields=("alert",), name="transition_commented", condition=~models.Q(comment="")),
        )

    def __str__(self) -> str:
        return f"{self.alert_id} {self.kind}"
