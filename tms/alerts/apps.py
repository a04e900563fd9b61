"""The alerts app: rules, alerts, incidents and maintenance windows."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

APPROVALS = (
    "tms.alerts.actions.approvals",
    "tms.alerts.maintenance.approvals",
)
UNDOS = (
    "tms.alerts.actions.undo",
    "tms.alerts.correlation.regrouping.undo",
    "tms.alerts.maintenance.undo",
    "tms.alerts.rule_editing.undo",
)


class AlertsConfig(AppConfig):
    name = "tms.alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        from tms.accounts import undo  # its models are loaded by now
        from tms.approvals import kinds

        kinds.MODULES.add(*APPROVALS)
        undo.MODULES.add(*UNDOS)
