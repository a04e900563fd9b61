from importlib import import_module

from django.apps import AppConfig


class OpsConfig(AppConfig):
    name = "tms.ops"

    def ready(self) -> None:
        import_module("tms.ops.checks")
