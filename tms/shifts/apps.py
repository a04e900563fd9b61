"""The shifts app: handover notes, shift digests and their sign-offs."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ShiftsConfig(AppConfig):
    name = "tms.shifts"
    verbose_name = _("Shifts")

    def ready(self) -> None:
        from tms.accounts import undo  # its models are loaded by now

        undo.MODULES.add("tms.shifts.undo")
