from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from tms.lib.db import integer_lookups


class FleetConfig(AppConfig):
    name = "tms.fleet"
    verbose_name = _("Fleet")

    def ready(self) -> None:
        integer_lookups.register()
