"""The ops app: health, purges, and what processes report about themselves."""

import sys
from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import pre_migrate

from tms.metrics import instruments


class OpsConfig(AppConfig):
    name = "tms.ops"

    def ready(self) -> None:
        from tms.ops import former_database

        import_module("tms.ops.checks")
        pre_migrate.connect(former_database.refuse, sender=self)
        instruments.PYTHON_BLOCKS.set_function(sys.getallocatedblocks)
