"""People, and their preferences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX as UNUSABLE
from django.contrib.auth.models import AbstractUser, UserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Upper
from django.utils.translation import gettext_lazy as _

from tms.accounts.normal_form import Names, normal
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


NOT_ASCII = "[^ -~]"


class PersonManager(UserManager["User"]):
    """Compares names by their normal form: the database offers candidates, and Python decides."""

    use_in_migrations = False

    def get_by_natural_key(self, username: str | None) -> User:
        """The account that signs in as `username`. Raises User.DoesNotExist."""
        typed = username or ""
        found = self.filter(Q(username=typed) | Q(username__iexact=normal(typed)))
        same = [person for person in found if normal(person.username) == normal(typed)]
        same.sort(key=lambda person: person.username != typed)
        if not same:
            raise self.model.DoesNotExist
        return same[0]

    def keys_of(self, value: str, *, column: str) -> list[int]:
        """The primary keys of those whose `username` or `email` has the same normal form as `value`."""
        same = Q(**{f"{column}__iexact": normal(value)}) | Q(**{f"{column}__regex": NOT_ASCII})
        rows = self.filter(same).values_list("pk", column)
        return [pk for pk, known in rows if known and normal(known) == normal(value)]

    def is_taken(self, *names: str, besides: User | None = None) -> bool:
        """Whether another account has one of these names as username or address, or one that looks like it."""
        wanted = [name for name in names if name]
        others = self.exclude(pk=besides.pk) if besides is not None and besides.pk else self.all()
        if all(name.isascii() for name in wanted):  # others may look like any name
            others = others.filter(_equal(wanted) | Q(username__regex=NOT_ASCII) | Q(email__regex=NOT_ASCII))
        known = {name for row in others.values_list("username", "email") for name in row if name}
        return any(map(Names(*wanted).resemble, known))


def _equal(names: Iterable[str]) -> Q:
    found = Q(pk__in=())
    for name in names:
        found |= Q(username__iexact=name) | Q(email__iexact=name)
    return found


class User(AbstractUser):
    """A person who watches boards."""

    first_name = LineField(AbstractUser._meta.get_field("first_name").verbose_name, max_length=150, blank=True)
    last_name = LineField(AbstractUser._meta.get_field("last_name").verbose_name, max_length=150, blank=True)
    language = models.CharField(_("language"), max_length=8, blank=True)
    theme = models.CharField(_("theme"), max_length=8, choices=Theme, default=Theme.SYSTEM)
    is_service = models.BooleanField(_("service account"), default=False, db_default=False, editable=False)
    """The account of a program, which has no password and uses API tokens."""
    is_name_verified = models.BooleanField(_("name verified"), default=True, db_default=True, editable=False)
    """False for an account that a provider created, until its username is an address that it verified, of its domains,
    or an administrator confirms it: the person could have named an account of others."""
    density = models.CharField(
        _("density"), max_length=12, choices=Density, default=Density.STANDARD, db_default=Density.STANDARD
    )
    time_zone = models.CharField(_("time zone"), max_length=64, blank=True, default="", db_default="")
    """The time zone that the person chose; empty for that of the browser."""
    terminal_columns = models.CharField(
        _("columns of the list of terminals"), max_length=1_500, blank=True, default="", db_default="", editable=False
    )
    """Their names, as in the URL of the list; empty for the usual ones."""
    sounds = models.JSONField(_("sounds"), null=True, blank=True, editable=False)
    """The severities whose new alerts play a sound; None: those chosen in the browser."""
    has_shortcuts = models.BooleanField(_("single-key shortcuts"), default=True, db_default=True)

    factor_due_at = models.DateTimeField(null=True, editable=False)
    """When the person must have a second factor. Set at the first sign-in without one."""

    enabled_at = models.DateTimeField(null=True, editable=False)
    """When the account was last enabled again after it had been disabled."""
    inactivity_noticed_at = models.DateTimeField(null=True, editable=False)
    """When the person last got the mail that their account will be disabled because nobody uses it."""

    scope_path = ByGrants("person")
    objects: ClassVar[PersonManager] = PersonManager()

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
    def has_unverified_address(self) -> bool:
        """A provider created the account under an address that nobody verified."""
        return "@" in self.username and not self.is_name_verified

    def is_person_of(self, other: User) -> bool:
        """Whether both accounts are of one person, as far as that is known: they are one, or have one address."""
        return self.pk == other.pk or not self._addresses.isdisjoint(other._addresses)

    @property
    def _addresses(self) -> set[str]:
        return {normal(name) for name in (self.username, self.email) if "@" in name}

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
