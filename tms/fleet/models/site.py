"""Sites, and what public holidays do to their opening hours."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import BySite
from tms.accounts.scope.region_field import RegionField
from tms.lib.calendar.public_holidays import check_calendar
from tms.lib.text_fields import LineField


class OnHolidays(models.TextChoices):
    """The effect of public holidays on a site."""

    AS_USUAL = "as_usual", _("open as usual")
    CLOSED = "closed", pgettext_lazy("site", "closed")
    OTHER = "other", _("special hours below")


class Site(models.Model):
    """Where terminals are installed: a shop, a station."""

    code = models.SlugField(_("code"), max_length=8, unique=True)
    name = LineField(_("name"), max_length=100)
    name_ja = LineField(_("Japanese name"), max_length=100, blank=True)
    region = RegionField(_("region"))
    address = LineField(_("address"), max_length=200, blank=True, default="", db_default="")
    closed_at = models.DateTimeField(_("closed at"), null=True, blank=True, editable=False)
    """When people closed the site for good; None while it is in use. Opening hours are something else."""
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Tokyo")
    holiday_calendar = models.CharField(
        _("holiday calendar"),
        max_length=8,
        default="JP",
        db_default="JP",
        blank=True,
        validators=(check_calendar,),
        help_text=_("A country or region: JP, DE-BY, US-NY. Leave empty for none."),
    )
    on_holidays = models.CharField(
        _("on public holidays"),
        max_length=8,
        choices=OnHolidays,
        default=OnHolidays.AS_USUAL,
        db_default=OnHolidays.AS_USUAL,
    )

    audited_relations = ("opening_hours", "special_days", "contacts")
    scope_path = BySite()

    class Meta:
        ordering = ("name",)
        verbose_name = _("site")
        verbose_name_plural = _("sites")

    def __str__(self) -> str:
        return self.local_name

    @property
    def local_name(self) -> str:
        """The name in the active language."""
        return self.name_ja if self.name_ja and get_language() == "ja" else self.name
