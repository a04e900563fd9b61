"""The commands app: requests to terminals, such as a reboot."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CommandsConfig(AppConfig):
    name = "tms.commands"
    verbose_name = _("Commands")

    def ready(self) -> None:
        # Its models are loaded by now.
        from tms.approvals import kinds
        from tms.commands import services
        from tms.fleet.terminals.lifecycle_changes import lifecycle_changed, lifecycle_preview

        lifecycle_changed.connect(services.follow_lifecycle)
        lifecycle_preview.connect(services.preview_lifecycle)
        kinds.MODULES.add("tms.commands.approvals")
