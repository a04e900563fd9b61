import sys
from importlib import import_module

from django.apps import AppConfig

from tms.metrics import instruments


class OpsConfig(AppConfig):
    name = "tms.ops"

    def ready(self) -> None:
        import_module("tms.ops.checks")
        instruments.PYTHON_BLOCKS.set_function(sys.getallocatedblocks)
