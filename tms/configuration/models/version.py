"""Versions of the configuration of the whole fleet: each is a change with an author and a reason."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.lib.text_fields import LineField, LinesField


class VersionState(models.TextChoices):
    DRAFT = "draft", pgettext_lazy("configuration version", "Draft")
    """It can still be changed."""
    READY = "ready", pgettext_lazy("configuration version", "Ready")
    """It is fixed; which terminals get it is decided by rollouts."""


class ConfigurationVersion(models.Model):
    """`number` counts from 1. The values of version 7 are those of version 6 with the changes of version 7."""

    number = models.PositiveIntegerField(_("version"), unique=True)
    title = LineField(_("title"), max_length=100, blank=True)
    reason = LinesField(_("reason"), max_length=500, blank=True)
    state = models.CharField(_("state"), max_length=16, choices=VersionState, default=VersionState.DRAFT)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    undoes = models.ForeignKey("self", models.SET_NULL, null=True, related_name="undone_by")
    """The version whose changes this one takes back."""
    created_at = models.DateTimeField(_("created at"))
    edited_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """Who changed the draft last."""
    edited_at = models.DateTimeField(null=True)
    fixed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ("-number",)
        verbose_name = _("configuration version")
        verbose_name_plural = _("configuration versions")
        constraints = (
            # One for everybody: the numbers of versions are their order.
            models.UniqueConstraint(fields=("state",), name="version_one_draft", condition=models.Q(state="draft")),
        )

    def __str__(self) -> str:
        return str(self.number)

    def get_absolute_url(self) -> str:
        return reverse("configuration-version", args=(self.number,))

    @property
    def is_draft(self) -> bool:
        return self.state == VersionState.DRAFT
