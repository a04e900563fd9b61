"""The telemetry app: reports, readings and events of terminals."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "tms.telemetry"

    def ready(self) -> None:
        from tms.telemetry import terminal_query  # its models are loaded by now

        terminal_query.add_fields()
