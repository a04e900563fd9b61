"""The fleet app: sites, terminals, their credentials and their presence."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from tms.lib.db import integer_lookups, natural_order, pattern_lookup, version_order


class FleetConfig(AppConfig):
    name = "tms.fleet"
    verbose_name = _("Fleet")

    def ready(self) -> None:
        from tms.accounts import undo  # its models are loaded by now
        from tms.fleet.groups import dynamic, uses
        from tms.fleet.labels import terminal_query as label_query
        from tms.fleet.saved_views.services import shared_views
        from tms.fleet.sites import terminal_query as hours_query
        from tms.fleet.terminals import group_members

        group_members.connect()
        integer_lookups.register()
        natural_order.register()
        pattern_lookup.register()
        version_order.register()
        label_query.add_fields()
        hours_query.add_fields()
        dynamic.connect()
        uses.add_queries(shared_views)
        undo.MODULES.add("tms.fleet.label_editing.undo")
        undo.MODULES.add("tms.fleet.saved_views.undo")
