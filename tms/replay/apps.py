"""The replay app: boards as they were at a past instant."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReplayConfig(AppConfig):
    name = "tms.replay"
    verbose_name = _("Replay")
