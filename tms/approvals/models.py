"""The requests for a second person's approval, and their states."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.lib.text_fields import LineField, LinesField


class ApprovalState(models.TextChoices):
    WAITING = "waiting", pgettext_lazy("approval", "Waiting")
    APPROVED = "approved", pgettext_lazy("approval", "Approved")
    REJECTED = "rejected", pgettext_lazy("approval", "Rejected")
    WITHDRAWN = "withdrawn", pgettext_lazy("approval", "Withdrawn")
    EXPIRED = "expired", pgettext_lazy("approval", "Expired")


DECIDED = (ApprovalState.APPROVED, ApprovalState.REJECTED)


class ApprovalRequestQuerySet(models.QuerySet["ApprovalRequest"]):
    def waiting(self, at: datetime) -> Self:
        """The requests that are neither decided nor expired (index: approval_waiting)."""
        return self.filter(state=ApprovalState.WAITING, expires_at__gt=at)

    def overdue(self, at: datetime) -> Self:
        """Waiting, but their time is up (index: approval_waiting, read by the clock)."""
        return self.filter(state=ApprovalState.WAITING, expires_at__lte=at)

    def unanswered(self, since: datetime) -> Self:
        """Expired since then without an answer."""
        return self.filter(state=ApprovalState.EXPIRED, expires_at__gt=since)


class ApprovalRequest(models.Model):
    """An action that waits for a second person, as its kind stored it, and what became of it."""

    kind = models.CharField(_("kind"), max_length=32)
    """The name of a registered `tms.approvals.kinds.ApprovalKind`."""
    payload = models.JSONField()
    impact = models.JSONField()
    """What the action meant when it was requested."""
    summary = LineField(_("what"), max_length=200)
    """What the action is, in the language of the requester; for the audit trail."""
    reason = LinesField(_("reason"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=ApprovalState, default=ApprovalState.WAITING)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="approval_requests"
    )
    requested_at = models.DateTimeField(_("requested at"))
    expires_at = models.DateTimeField(_("expires at"))
    shown_to = models.PositiveSmallIntegerField(default=0)
    """Number of people on shift who could approve it when it was requested."""
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="approval_decisions"
    )
    decided_at = models.DateTimeField(_("decided at"), null=True)
    comment = LinesField(_("comment"), max_length=500, blank=True)
    """What the person who decided wrote."""
    changed = models.PositiveIntegerField(null=True)
    """How many rows the approved action changed."""

    objects = ApprovalRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval request")
        verbose_name_plural = _("approval requests")
        constraints = (
            models.CheckConstraint(
                name="approval_by_another",
                condition=~models.Q(state__in=DECIDED) | ~models.Q(decided_by=models.F("requested_by")),
            ),
        )
        # Readers: the boards, and the clock, which lets requests expire.
        indexes = (
            models.Index(
                fields=("expires_at",), name="approval_waiting", condition=models.Q(state=ApprovalState.WAITING)
            ),
            models.Index(fields=("requested_by", "-expires_at"), name="approval_requester"),
        )

    def __str__(self) -> str:
        return self.summary

    def get_absolute_url(self) -> str:
        return reverse("approval", args=(self.pk,))

    @property
    def is_waiting(self) -> bool:
        return self.state == ApprovalState.WAITING
