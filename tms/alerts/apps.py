"""The alerts app: rules, alerts, incidents and maintenance windows."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

APPROVALS = (
    "tms.alerts.actions.approvals",
    "tms.alerts.maintenance.approvals",
    "tms.alerts.retirement",
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
        from tms.alerts import terminal_query
        from tms.alerts.correlation import regions
        from tms.alerts.lifecycle import devices, standing
        from tms.alerts.maintenance import coverage
        from tms.alerts.maintenance import services as maintenance
        from tms.approvals import kinds
        from tms.fleet.devices.unexpected import unexpected_decided
        from tms.fleet.identity.history import identity_changed
        from tms.fleet.regions.services import region_renamed
        from tms.fleet.terminals.lifecycle_changes import lifecycle_changed, lifecycle_preview

        kinds.MODULES.add(*APPROVALS)
        undo.MODULES.add(*UNDOS)
        lifecycle_changed.connect(standing.follow_lifecycle)
        lifecycle_changed.connect(maintenance.follow_lifecycle)
        identity_changed.connect(coverage.follow_identity)
        lifecycle_preview.connect(standing.preview_lifecycle)
        lifecycle_preview.connect(maintenance.preview_lifecycle)
        unexpected_decided.connect(devices.follow_decision)
        region_renamed.connect(regions.follow_rename)
        terminal_query.add_fields()
