"""The artifacts app: signed files that terminals install."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ArtifactsConfig(AppConfig):
    name = "tms.artifacts"
    verbose_name = _("Artifacts")
