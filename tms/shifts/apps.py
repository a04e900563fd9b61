from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShiftsConfig(AppConfig):
    name = "tms.shifts"
    verbose_name = _("Shifts")

    def ready(self) -> None:
        from importlib import import_module

        import_module("tms.shifts.undo")  # registers it; its model is loaded by now
