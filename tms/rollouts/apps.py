"""The rollouts app: software and configuration for many terminals, in waves that stop by themselves."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RolloutsConfig(AppConfig):
    name = "tms.rollouts"
    verbose_name = _("Rollouts")
