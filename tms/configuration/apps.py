"""The configuration app: values of keys for terminals, in layers and versions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConfigurationConfig(AppConfig):
    name = "tms.configuration"
    verbose_name = _("Configuration")

    def ready(self) -> None:
        # Its models are loaded by now.
        from tms.alerts.lifecycle import firmware
        from tms.alerts.rule_kinds.sources import RuleSource
        from tms.commands import change_frames
        from tms.commands.kinds import CONFIGURE
        from tms.commands.services import commands_ended
        from tms.configuration import delivery, differing, moves

        change_frames.register(CONFIGURE, delivery.frames_of)
        commands_ended.connect(delivery.follow_commands)
        moves.connect()
        firmware.WATCHED[RuleSource.CONFIGURATION] = firmware.Watched(differing.differing_long, has_lasted=True)
