"""The artifacts app: signed files that terminals install."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ArtifactsConfig(AppConfig):
    name = "tms.artifacts"
    verbose_name = _("Artifacts")

    def ready(self) -> None:
        # Its models are loaded by now.
        from tms.artifacts import delivery
        from tms.artifacts.installed import ARTIFACT_FIELD
        from tms.commands import change_frames
        from tms.commands.kinds import UPDATE
        from tms.fleet.terminal_query import TERMINAL_FIELDS

        TERMINAL_FIELDS.add(ARTIFACT_FIELD)
        change_frames.register(UPDATE, delivery.frames_of)
