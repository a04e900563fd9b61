"""The telemetry app: reports, readings and events of terminals."""

from django.apps import AppConfig


class TelemetryConfig(AppConfig):
    name = "tms.telemetry"
