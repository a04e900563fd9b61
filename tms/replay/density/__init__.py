"""How much happened when: for the slider of a replay.

`rows.py` counts what began within a time, `counting.py` stores counts of past days, `reading.py` combines both.
"""

from tms.replay.density.buckets import Bucket
from tms.replay.density.events import event_after, event_before
from tms.replay.density.reading import density

__all__ = ["Bucket", "density", "event_after", "event_before"]
