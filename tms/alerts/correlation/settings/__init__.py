"""The correlation settings."""

from tms.alerts.correlation.settings.services import reset, save

__all__ = ["reset", "save"]
