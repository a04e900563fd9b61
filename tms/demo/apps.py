"""The demo app: a fleet of simulated terminals, and its past week."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "tms.demo"

    def ready(self) -> None:
        from tms.demo import checks  # noqa: F401  (registers itself)
