"""The models of replays. Django finds them here."""

from tms.replay.models.recorded_moment import RecordedMoment
from tms.replay.models.snapshot import Snapshot

__all__ = ["RecordedMoment", "Snapshot"]
