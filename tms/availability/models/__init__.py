"""The models of availability. Django finds them here; other apps import them from here."""

from tms.availability.models.days import KindDay, PendingOutage, SiteDay, TerminalDay
from tms.availability.models.target import AvailabilityTarget

__all__ = ["AvailabilityTarget", "KindDay", "PendingOutage", "SiteDay", "TerminalDay"]
