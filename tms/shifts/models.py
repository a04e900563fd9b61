"""Notes for the next shift, and sign-offs of shift digests."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.models import Owned, one_owner
from tms.lib.text_fields import LongLinesField


class NoteQuerySet(models.QuerySet["Note"]):
    def written(self, since: datetime, until: datetime) -> Self:
        """The notes within this time, oldest first (index: note_at)."""
        return self.filter(at__gte=since, at__lt=until).order_by("at", "pk")


class Note(Owned):
    """A message from an operator to the next shift. Its author may edit and delete it."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="notes")
    at = models.DateTimeField()
    text = LongLinesField(max_length=4_000)
    edited_at = models.DateTimeField(null=True)

    objects = NoteQuerySet.as_manager()

    class Meta:
        constraints = (one_owner("note_one_owner"),)
        # Reader: the shift digest.
        indexes = (models.Index(fields=("at",), name="note_at"),)

    def __str__(self) -> str:
        return f"{self.by} {self.at}"


class SignOffQuerySet(models.QuerySet["SignOff"]):
    def of_period(self, since: datetime, until: datetime) -> Self:
        """The sign-offs of digests that overlap this period, newest first (index: sign_off_until)."""
        return self.filter(until__gt=since, since__lt=until).order_by("-at", "-pk")


class SignOff(Owned):
    """The next shift confirmed that it read the digest of a period, and took over. Rows are never changed."""

    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="sign_offs")
    at = models.DateTimeField()
    since = models.DateTimeField()
    until = models.DateTimeField()

    objects = SignOffQuerySet.as_manager()

    class Meta:
        verbose_name = _("sign-off")
        verbose_name_plural = _("sign-offs")
        constraints = (
            one_owner("sign_off_one_owner"),
            models.CheckConstraint(name="sign_off_period", condition=models.Q(since__lt=models.F("until"))),
        )
        # Reader: the shift digest.
        indexes = (models.Index(fields=("until",), name="sign_off_until"),)

    def __str__(self) -> str:
        return f"{self.by} {self.until}"
