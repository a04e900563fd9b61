"""The availability app: counted and lost time of terminals, and the monthly report."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AvailabilityConfig(AppConfig):
    name = "tms.availability"
    verbose_name = _("Availability")
