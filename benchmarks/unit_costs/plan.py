"""The sizes of the measurement of unit costs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class UnitPlan:
    terminals: int = 20_000
    reports_each: int = 10
    flush: int = 100
    """Reports that are committed together."""
    comparisons: int = 5
    messages: int = 5_000
    messages_per_s: float = 1_000
    ids: int = 50
    """Terminals that a message of the feed names."""
    boards: int = 200
    scopes: int = 20
    """Disjoint ones, to which the boards belong."""
    open_alerts: int = 500
    board_changes: int = 60
    """Alerts that open or are resolved while the boards are open."""
    turns: int = 2
    subscribers: int = 40


TINY = UnitPlan(
    terminals=200,
    reports_each=1,
    comparisons=1,
    messages=100,
    subscribers=3,
    boards=8,
    scopes=2,
    open_alerts=10,
    board_changes=4,
    turns=1,
)
