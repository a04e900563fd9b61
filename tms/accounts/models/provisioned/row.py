"""The base of rows that the directory manages."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.lib.text_fields import LineField

MAX_EXTERNAL_ID_CHARACTERS = 255


class Provisioned(models.Model):
    """What the directory (SCIM) knows about a row that it manages."""

    external_id = LineField(max_length=MAX_EXTERNAL_ID_CHARACTERS, blank=True, default="")
    """The identifier in the directory; empty if it sends none."""
    created_at = models.DateTimeField(_("created at"))
    changed_at = models.DateTimeField(_("changed at"))
    """When the directory last changed it."""

    class Meta:
        abstract = True
