"""What was known at a past instant, from the recorded history."""

from tms.replay.state.alerts import AlertFacts
from tms.replay.state.limits import MomentLimit, earliest
from tms.replay.state.moment import Moment, TerminalThen

__all__ = ["AlertFacts", "Moment", "MomentLimit", "TerminalThen", "earliest"]
