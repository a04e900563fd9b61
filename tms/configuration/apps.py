"""The configuration app: values of keys for terminals, in layers and versions."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ConfigurationConfig(AppConfig):
    name = "tms.configuration"
    verbose_name = _("Configuration")
