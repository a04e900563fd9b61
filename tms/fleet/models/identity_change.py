"""The history of what identifies a terminal."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tms.accounts.scope import ByTerminal
from tms.fleet.models.terminal import Terminal


class IdentityField(models.TextChoices):
    SERIAL = "serial", _("serial number")
    MODEL = "model", _("model")
    FIRMWARE = "firmware", _("firmware")
    AGENT = "agent", _("agent")
    SITE = "site", _("site")
    LABEL = "label", _("location")
    KIND = "kind", _("kind")
    PARENT = "parent", _("connected via")
    GROUPS = "groups", _("groups")
    LIFECYCLE = "lifecycle", pgettext_lazy("lifecycle", "state")


class IdentitySource(models.TextChoices):
    BOOT = "boot", pgettext_lazy("source of a change", "Terminal")
    PERSON = "person", pgettext_lazy("source of a change", "Person")
    IMPORT = "import", pgettext_lazy("source of a change", "Import")
    EDIT = "edit", pgettext_lazy("source of a change", "Bulk edit")
    QUERY = "query", pgettext_lazy("source of a change", "Query")

    @property
    def is_of_many(self) -> bool:
        """Whether the audit trail has one entry for all terminals that were changed together."""
        return self in (IdentitySource.IMPORT, IdentitySource.EDIT)


class IdentityChange(models.Model):
    """One fact about a terminal changed.

    `before` and `after` are texts; for a site, a parent or groups they are lists of `[primary key, name]`, because
    such a row may be renamed or deleted later. No parent is an empty list: JSON null would be stored as NULL.
    """

    terminal = models.ForeignKey(Terminal, models.CASCADE, related_name="identity_changes", db_index=False)
    at = models.DateTimeField()
    field = models.CharField(max_length=16, choices=IdentityField)
    before = models.JSONField()
    after = models.JSONField()
    source = models.CharField(max_length=16, choices=IdentitySource)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    """The person who changed it; None if it was the terminal."""

    scope_path = ByTerminal("terminal")

    class Meta:
        indexes = (
            # Reader: the history on the page of a terminal.
            models.Index(fields=("terminal", "-at"), name="identitychange_terminal"),
            # Reader: replays, which undo what changed after their instant.
            models.Index(fields=("-at",), name="identitychange_at"),
        )

    def __str__(self) -> str:
        return f"{self.terminal_id} {self.field}"
