from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

UNDOS = (
    "tms.alerts.correlation.regrouping.undo",
    "tms.alerts.maintenance.undo",
    "tms.alerts.rule_editing.undo",
)


class AlertsConfig(AppConfig):
    name = "tms.alerts"
    verbose_name = _("Alerts")

    def ready(self) -> None:
        from importlib import import_module

        for kinds in (
            "tms.alerts.actions.approvals",
            "tms.alerts.actions.undo",
            "tms.alerts.maintenance.approvals",
            *UNDOS,
        ):
            import_module(kinds)  # registers them; their models are loaded by now
