"""The approvals app: actions that wait for the consent of a second person."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ApprovalsConfig(AppConfig):
    name = "tms.approvals"
    verbose_name = _("Approvals")
