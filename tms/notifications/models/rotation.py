"""Rotations, their members and their overrides."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from tms.accounts.models import Owned, one_owner
from tms.accounts.scope import Through
from tms.lib.text_fields import LineField

MAX_SHIFT_DAYS = 28


class RotationQuerySet(models.QuerySet["Rotation"]):
    def not_deleted(self) -> Self:
        return self.filter(deleted_at=None)


class Rotation(Owned):
    """People who are on call one after the other; `rotations.roster` computes their shifts."""

    name = LineField(_("name"), max_length=100)
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Tokyo")
    starts_on = models.DateField(_("first day"))
    handover_at = models.TimeField(_("handover time"))
    every_days = models.PositiveSmallIntegerField(
        _("shift length (days)"), default=7, validators=(MinValueValidator(1), MaxValueValidator(MAX_SHIFT_DAYS))
    )
    weekdays = models.JSONField(default=list, blank=True)
    """Days of handover, 0 is Monday; if there are any, `every_days` is ignored."""
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = RotationQuerySet.as_manager()

    audited_relations = ("members",)

    class Meta:
        ordering = ("name",)
        verbose_name = _("rotation")
        verbose_name_plural = _("rotations")
        constraints = (
            one_owner("rotation_one_owner"),
            models.UniqueConstraint(
                fields=("name",),
                condition=models.Q(deleted_at=None),
                name="rotation_name_once",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("rotation", args=(self.pk,))


class Member(models.Model):
    """A person in the order of shifts."""

    rotation = models.ForeignKey(Rotation, models.CASCADE, related_name="members")
    position = models.PositiveSmallIntegerField()
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        ordering = ("rotation", "position")
        constraints = (models.UniqueConstraint(fields=("rotation", "position"), name="member_once"),)

    def __str__(self) -> str:
        return f"{self.rotation_id} {self.position}"


class Cover(models.Model):
    """A person is on call for a period instead of the regular shift."""

    rotation = models.ForeignKey(Rotation, models.CASCADE, related_name="covers")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("who"))
    since = models.DateTimeField(_("from"))
    until = models.DateTimeField(_("until"))
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    scope_path = Through("rotation", "notifications.Rotation")

    class Meta:
        ordering = ("since", "pk")
        constraints = (
            models.CheckConstraint(condition=models.Q(until__gt=models.F("since")), name="cover_ends_after_it_begins"),
        )

    def __str__(self) -> str:
        return f"{self.rotation_id} {self.person_id}"
