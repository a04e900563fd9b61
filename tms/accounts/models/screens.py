"""Wall screens: televisions that show the wall without a person, and those that wait for their pairing."""

from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.models.grant import at_most_one
from tms.accounts.models.user import Theme
from tms.accounts.scope import ByOwner, Scope
from tms.accounts.scope.region_field import RegionField
from tms.lib.text_fields import LineField

OVERLAP = timedelta(minutes=10)
"""How long a replaced secret still opens the wall: requests with it may be under way."""


class WallBoard(models.TextChoices):
    """What a wall can show below its totals."""

    OVERVIEW = "overview", _("Overview")
    ALERTS = "alerts", _("Incidents and alerts")
    SITES = "sites", _("Sites")
    CHANGES = "changes", _("Recent changes")


class WallScreenQuerySet(models.QuerySet["WallScreen"]):
    def with_secret(self, digest: str, *, at: datetime) -> Self:
        """The screen that a secret belongs to: the current one, its successor, or for a while its predecessor."""
        replaced = models.Q(predecessor=digest, rotated_at__gt=at - OVERLAP)
        return self.filter(models.Q(digest=digest) | models.Q(successor=digest) | replaced)


class WallScreen(models.Model):
    """A television that shows the wall without a person. It holds a scope like a grant, and no permission.

    Stores only SHA-256 of its secrets, which are 256 bits each. A site or group that a screen shows
    cannot be deleted.
    """

    name = LineField(_("name"), max_length=100)
    region = RegionField(_("region"))
    site = models.ForeignKey(
        "fleet.Site", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("site")
    )
    group = models.ForeignKey(
        "fleet.Group", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("group")
    )
    boards = models.JSONField(_("boards"), default=list)
    every_s = models.PositiveSmallIntegerField(_("seconds for each board"), default=15)
    language = models.CharField(_("language"), max_length=8)
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.DARK)
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="")
    """The time zone of the screen; empty for that of the television."""
    sounds = models.JSONField(_("sounds"), default=list, blank=True)
    """The severities whose new alerts play a sound."""

    digest = models.CharField(max_length=64, unique=True, editable=False)
    successor = models.CharField(max_length=64, blank=True, default="", editable=False)
    """The digest of a secret that was sent to the television, which has not used it yet."""
    predecessor = models.CharField(max_length=64, blank=True, default="", editable=False)
    issued_at = models.DateTimeField(null=True, editable=False)
    """When the successor was sent."""
    rotated_at = models.DateTimeField(null=True, editable=False)
    """When the current secret was used first."""

    address = models.GenericIPAddressField(_("address"), null=True, editable=False)
    browser = LineField(_("browser"), max_length=200, blank=True, default="", editable=False)
    """Its `User-Agent` header."""
    seen_at = models.DateTimeField(_("last seen"), null=True, editable=False)
    """Accurate to a minute."""
    created_at = models.DateTimeField(_("created at"), db_default=Now())
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False, related_name="+"
    )

    objects = WallScreenQuerySet.as_manager()
    scope_path = ByOwner(prefix="")

    class Meta:
        verbose_name = _("wall screen")
        verbose_name_plural = _("wall screens")
        constraints = (
            models.CheckConstraint(
                name="wall_screen_one_scope",
                condition=at_most_one("region", "site", "group"),
                violation_error_message=_("Choose at most one of region, site and group."),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def scope(self) -> Scope:
        return Scope.of(self.region, self.site_id, self.group_id)

    @property
    def scope_name(self) -> str:
        if self.group:
            return gettext("group %(name)s") % {"name": self.group}
        return str(self.region or self.site or gettext("everything"))


class ScreenPairing(models.Model):
    """A television that shows a code and waits. `digest` becomes the secret of the screen that is made of it."""

    code = models.CharField(pgettext_lazy("pairing", "code"), max_length=8, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    address = models.GenericIPAddressField(null=True)
    browser = LineField(max_length=200, blank=True)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = _("pairing code")
        verbose_name_plural = _("pairing codes")

    def __str__(self) -> str:
        return self.code
