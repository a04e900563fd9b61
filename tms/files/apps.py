"""The files app: files that terminals upload for a command, such as logs and screenshots."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class FilesConfig(AppConfig):
    name = "tms.files"
    verbose_name = _("Files")
