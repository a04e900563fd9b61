"""The models of replays. Django finds them here."""

from tms.replay.models.density import CountedDay, FleetCount, SiteCount
from tms.replay.models.snapshot import Snapshot

__all__ = ["CountedDay", "FleetCount", "SiteCount", "Snapshot"]
