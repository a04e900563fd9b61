"""Recorded moments: what boards had been sent, to compare replays with."""

from tms.replay.recorded.comparison import ComparisonSummary, newest_comparison

__all__ = ["ComparisonSummary", "newest_comparison"]
