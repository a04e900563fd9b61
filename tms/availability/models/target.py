"""The availability targets of sites."""

from __future__ import annotations

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tms.accounts.scope import BySite
from tms.fleet.models import Site


class AvailabilityTarget(models.Model):
    """The availability that was agreed for a site. Without one, `TMS_AVAILABILITY_TARGET` applies."""

    site = models.OneToOneField(Site, models.CASCADE, related_name="availability_target")
    percent = models.FloatField(_("target"), validators=(MinValueValidator(0), MaxValueValidator(100)))

    scope_path = BySite("site")

    class Meta:
        verbose_name = _("availability target")
        verbose_name_plural = _("availability targets")

    def __str__(self) -> str:
        return f"{self.site} {self.percent}%"
