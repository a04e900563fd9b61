"""The transfer app: rows of the fleet from files, and into files."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TransferConfig(AppConfig):
    name = "tms.transfer"
    verbose_name = _("Import and export")

    def ready(self) -> None:
        from tms.approvals import kinds

        kinds.MODULES.add("tms.transfer.approvals")
