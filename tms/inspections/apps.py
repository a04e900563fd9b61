"""The inspections app: rounds on which people check each device for tampering and substitution."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InspectionsConfig(AppConfig):
    name = "tms.inspections"
    verbose_name = _("Inspections")

    def ready(self) -> None:
        from tms.fleet.terminals.lifecycle_changes import lifecycle_changed
        from tms.inspections import device_query, members

        device_query.add_fields()
        lifecycle_changed.connect(members.follow_lifecycle)
