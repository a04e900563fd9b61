from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX as UNUSABLE
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import ByGrants
from tms.lib.text_fields import LineField


class Theme(models.TextChoices):
    SYSTEM = "system", _("System default")
    DARK = "dark", _("Dark")
    LIGHT = "light", _("Light")


class Density(models.TextChoices):
    """How much room the rows of lists and the controls have."""

    COMPACT = "compact", _("Compact")
    STANDARD = "standard", _("Standard")
    COMFORTABLE = "comfortable", _("Comfortable")


class User(AbstractUser):
    """A person who watches boards."""

    first_name = LineField(AbstractUser._meta.get_field("first_name").verbose_name, max_length=150, blank=True)
    last_name = LineField(AbstractUser._meta.get_field("last_name").verbose_name, max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.SYSTEM)
    is_service = models.BooleanField(_("service account"), default=False, db_default=False, editable=False)
    """The account of a program, which has no password and uses API tokens."""
    density = models.CharField(
        _("density"), max_length=12, choices=Density, default=Density.STANDARD, db_default=Density.STANDARD
    )
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="", db_default="")
    """Empty: that of the browser."""
    sounds = models.JSONField(_("sounds"), null=True, blank=True, editable=False)
    """The severities whose new alerts play a sound; None: those chosen in the browser."""
    has_shortcuts = models.BooleanField(_("single-key shortcuts"), default=True, db_default=True)

    factor_due_at = models.DateTimeField(null=True, editable=False)
    """From when on the person must have a second factor. Set at the first sign-in without one."""

    enabled_at = models.DateTimeField(null=True, editable=False)
    """When the account was last enabled again after it had been disabled."""
    inactivity_noticed_at = models.DateTimeField(null=True, editable=False)
    """When the person last got the mail that their account will be disabled because nobody uses it."""

    scope_path = ByGrants("person")

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = (
            # Reader: provisioning, which looks for a name of any case.
            models.UniqueConstraint(
                Upper("username"),
                name="user_username_any_case",
                violation_error_message=_("An account with this username exists already."),
            ),
        )

    replaced_password = UNUSABLE
    """The hash before `set_password`; until then none."""

    def set_password(self, raw_password: str | None) -> None:
        if getattr(self, "_password", None) is None:  # not changed since it was read
            self.replaced_password = self.password or UNUSABLE
        super().set_password(raw_password)

    @property
    def initials(self) -> str:
        """Two letters for an avatar, from the name or else the username."""
        name = self.get_full_name()
        if not name:
            return self.username[:2].upper()
        return name[:1] if not name.isascii() else "".join(word[0] for word in name.split())[:2].upper()

    @property
    def display_name(self) -> str:
        return self.get_full_name() or self.username
